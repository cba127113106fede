# What tells people and programs how a run goes; knows nothing of the engine.
gramflow_library(gramflow_observers
  SOURCES console_observer.cpp log_observer.cpp progress.cpp progress_line.cpp resident_memory.cpp trace.cpp
  LIBRARIES gramflow_base fmt::fmt nlohmann_json::nlohmann_json)
