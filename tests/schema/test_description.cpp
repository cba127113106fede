#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/schema/sample.h"

using namespace gramflow;
using Json = nlohmann::json;

namespace {

Field field(const std::string& name) {
  const ParameterSchema schema = ParameterSchema::of<Sample>();
  const auto found = std::find_if(schema.fields().begin(), schema.fields().end(),
                                  [&](const Field& other) { return other.name == name; });
  REQUIRE(found != schema.fields().end());
  return *found;
}

Json json(const std::string& name) { return Json::parse(field(name).json_schema); }

}  // namespace

TEST_CASE("fields are described in the order of their declaration") {
  const ParameterSchema schema = ParameterSchema::of<Sample>();
  REQUIRE(schema.fields().size() == 12);
  CHECK(schema.fields()[0].name == "weight");
  CHECK(schema.fields()[11].name == "decay");
}

TEST_CASE("types, defaults and ranges read well") {
  CHECK(field("weight").type == "number");
  CHECK(field("weight").default_text == "1");
  CHECK(field("weight").range == ">= 0");
  CHECK(field("iterations").type == "whole number");
  CHECK(field("iterations").range == ">= 1 and <= 1000");
  CHECK(field("verbose").default_text == "false");
  CHECK(field("title").default_text == "''");
  CHECK(field("method").type == "adam | lbfgs");
  CHECK(field("method").choices == std::vector<std::string>{"adam", "lbfgs"});
  CHECK(field("factors").type == "list of number");
  CHECK(field("factors").default_text == "[1, 2]");
  CHECK(field("clip").default_text == "");
}

TEST_CASE("nested structs describe their own fields") {
  const std::vector<Field> inner = field("decay").fields;
  REQUIRE(inner.size() == 2);
  CHECK(inner[0].range == "> 0 and <= 1");
  CHECK(inner[1].required);
  CHECK(inner[1].default_text == "");
}

TEST_CASE("a JSON Schema says type, default, limits and what it is for") {
  CHECK(json("weight") ==
        Json{{"type", "number"}, {"description", "factor of the loss"}, {"minimum", 0}, {"default", 1}});
  CHECK(json("verbose")["default"] == false);
  CHECK(json("path")["default"] == "out.png");
  CHECK(json("path")["minLength"] == 1);
  CHECK(json("method")["enum"] == Json{"adam", "lbfgs"});
  CHECK(json("layers")["minItems"] == 1);
}

TEST_CASE("limits stand at the numbers inside of lists, maps and structs") {
  CHECK(json("factors")["items"]["minimum"] == 0);
  CHECK(!json("factors").contains("minimum"));
  CHECK(json("weights")["additionalProperties"]["minimum"] == 0);
  CHECK(json("decay")["properties"]["factor"]["exclusiveMinimum"] == 0);
  CHECK(json("decay")["required"] == Json{"every"});
  CHECK(json("decay")["additionalProperties"] == false);
}
