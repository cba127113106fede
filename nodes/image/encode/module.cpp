// What the module gives to the program that loads it.
#include "nodes/image/picture_module.h"

extern "C" const gramflow::encode::Module gramflow_pictures;
const gramflow::encode::Module gramflow_pictures = {gramflow::encode::encode,
                                                    gramflow::encode::profile_problem};
