#include "pipelines/json_schema.h"

#include <nlohmann/json.hpp>

namespace gramflow {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* variable_pattern = R"(^\$)";

/// Any value may also be a variable.
Json or_variable(Json schema) {
  Json result;
  if (schema.contains("description")) result["description"] = schema["description"];
  if (schema.contains("default")) result["default"] = schema["default"];
  result["anyOf"] = Json::array({std::move(schema), Json{{"type", "string"}, {"pattern", variable_pattern}}});
  return result;
}

Json port_schema(const InputPort& port) {
  const std::string doc = std::string(name_of(port.kind)) + ": " + port.doc;
  const Json one = {{"type", "string"}, {"description", doc}};
  if (!port.list) return one;
  return {{"description", doc},
          {"anyOf", Json::array({one, Json{{"type", "array"}, {"items", {{"type", "string"}}}}})}};
}

Json node_schema(const NodeType& type) {
  Json properties = {{"type", {{"const", type.name}, {"description", type.summary}}}};
  Json required = Json::array({"type"});
  for (const InputPort& port : type.inputs) {
    properties[port.name] = port_schema(port);
    if (port.required) required.push_back(port.name);
  }
  for (const Field& field : type.parameters.fields()) {
    properties[field.name] = or_variable(Json::parse(field.json_schema));
    if (field.required) required.push_back(field.name);
  }
  return {{"properties", properties}, {"required", required}, {"additionalProperties", false}};
}

}  // namespace

std::string json_schema(const NodeTypes& types) {
  Json names = Json::array();
  Json descriptions = Json::array();
  Json choices = Json::array();
  for (const NodeType& type : types) {
    names.push_back(type.name);
    choices.push_back({{"if", {{"properties", {{"type", {{"const", type.name}}}}}, {"required", {"type"}}}},
                       {"then", node_schema(type)}});
  }
  const Json node = {
      {"type", "object"},
      {"required", {"type"}},
      {"properties",
       {{"type",
         {{"anyOf", Json::array({Json{{"enum", names}},
                                 Json{{"type", "string"}, {"description", "or the name of a subgraph"}}})},
          {"description", "what this node does"}}}}},
      {"allOf", choices}};
  const Json nodes = {{"type", "object"},
                      {"description", "the nodes of the pipeline, by name"},
                      {"additionalProperties", node}};
  const Json set = {{"type", "object"}, {"description", "variables, and parameters as nodes.ID.PARAMETER"}};
  Json root = {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "gramflow pipeline"},
      {"type", "object"},
      {"required", {"version"}},
      {"additionalProperties", false},
      {"properties",
       {{"version", {{"const", 1}, {"description", "version of the language"}}},
        {"vars",
         {{"type", "object"}, {"description", "values used as $name, and set with --set name=value"}}},
        {"include",
         {{"anyOf",
           Json::array({Json{{"type", "string"}}, Json{{"type", "array"}, {"items", {{"type", "string"}}}}})},
          {"description", "other pipeline files, relative to this one"}}},
        {"subgraphs",
         {{"type", "object"},
          {"description", "groups of nodes that can be used like node types"},
          {"additionalProperties",
           {{"type", "object"},
            {"properties",
             {{"inputs", Json::object()},
              {"outputs", Json::object()},
              {"parameters", Json::object()},
              {"nodes", nodes}}}}}}},
        {"nodes", nodes},
        {"schedule",
         {{"type", "array"},
          {"description", "stages, coarse to fine: each starts from the last one's result, resized"},
          {"items",
           {{"type", "object"}, {"additionalProperties", false}, {"properties", {{"set", set}}}}}}}}}};
  return root.dump(2) + "\n";
}

}  // namespace gramflow
