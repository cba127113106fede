#include "pipelines/json_schema.h"

#include <nlohmann/json.hpp>

namespace gramflow {
namespace {

using Json = nlohmann::ordered_json;

const Json variable = {{"type", "string"}, {"pattern", R"(\$)"}};

/// Any value may also be a variable, and so may every value in it. What describes it stays outside.
Json or_variable(Json schema) {
  Json result = Json::object();
  for (const char* outside : {"description", "default"})
    if (schema.contains(outside)) {
      if (!schema[outside].is_structured()) result[outside] = schema[outside];
      schema.erase(outside);
    }
  if (schema.contains("properties"))
    for (Json& property : schema["properties"]) property = or_variable(property);
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    schema["additionalProperties"] = or_variable(schema["additionalProperties"]);
  if (schema.value("type", "") == "string" && !schema.contains("enum")) {
    result.update(schema);
    return result;
  }
  Json choices = schema.contains("anyOf") ? schema["anyOf"] : Json::array({schema});
  for (Json& choice : choices)
    if (choice.contains("items")) choice["items"] = or_variable(choice["items"]);
  choices.push_back(variable);
  result["anyOf"] = std::move(choices);
  return result;
}

/// A layer's name: one of the known, or one that is nothing like them (of a network of one's own), or a
/// variable.
std::string layer_pattern(const std::vector<std::string>& layers) {
  std::string known;
  for (const std::string& layer : layers) known += layer + "|";
  return "^(" + known + R"((?!conv|relu|pool).*)$)";
}

Json layer_list(const std::vector<std::string>& layers) {
  Json snippets = Json::array();
  for (const std::string& layer : layers) snippets.push_back({{"label", layer}, {"body", layer}});
  return {{"type", "array"},
          {"items",
           {{"type", "string"},
            {"pattern", layer_pattern(layers)},
            {"patternErrorMessage", "no network that comes with gramflow has this layer"},
            {"defaultSnippets", snippets}}}};
}

Json layer_map(const Json& value, const std::vector<std::string>& layers) {
  Json properties = Json::object();
  for (const std::string& layer : layers) properties[layer] = value;
  return {{"type", "object"},
          {"properties", properties},
          {"patternProperties", {{"^(?!conv|relu|pool)", value}}},
          {"additionalProperties", false}};
}

/// Parameters whose values are layers get their names.
Json parameter_schema(const Field& field, const std::vector<std::string>& layers) {
  Json schema = or_variable(Json::parse(field.json_schema));
  if (!schema.contains("anyOf")) return schema;
  Json& first = schema["anyOf"][0];
  if (field.name == "layers" && first.contains("items")) first = layer_list(layers);
  if (field.name == "layer_weights" && first.contains("additionalProperties"))
    first = layer_map(first["additionalProperties"], layers);
  return schema;
}

Json port_schema(const InputPort& port) {
  const std::string doc = std::string(name_of(port.kind)) + ": " + port.doc;
  const Json one = {{"type", "string"}};
  if (!port.list) return {{"type", "string"}, {"description", doc}};
  return {{"description", doc}, {"anyOf", Json::array({one, Json{{"type", "array"}, {"items", one}}})}};
}

Json node_schema(const NodeType& type, const std::vector<std::string>& layers) {
  Json properties = {{"type", {{"const", type.name}, {"description", type.summary}}}};
  Json required = Json::array({"type"});
  for (const InputPort& port : type.inputs) {
    properties[port.name] = port_schema(port);
    if (port.required) required.push_back(port.name);
  }
  for (const Field& field : type.parameters.fields()) {
    properties[field.name] = parameter_schema(field, layers);
    if (field.required) required.push_back(field.name);
  }
  return {{"properties", properties}, {"required", required}, {"additionalProperties", false}};
}

Json type_names(const NodeTypes& types) {
  Json names = Json::array();
  Json descriptions = Json::array();
  for (const NodeType& type : types) {
    names.push_back(type.name);
    descriptions.push_back(type.summary);
  }
  return {{"enum", names}, {"enumDescriptions", descriptions}};
}

Json nodes_schema(const NodeTypes& types, const std::vector<std::string>& layers) {
  Json choices = Json::array();
  for (const NodeType& type : types)
    choices.push_back({{"if", {{"properties", {{"type", {{"const", type.name}}}}}, {"required", {"type"}}}},
                       {"then", node_schema(type, layers)}});
  const Json node = {
      {"type", "object"},
      {"required", {"type"}},
      {"properties",
       {{"type",
         {{"type", "string"}, {"anyOf", Json::array({type_names(types), Json{{"type", "string"}}})}}}}},
      {"allOf", choices}};
  return {{"type", "object"},
          {"description", "the nodes of the pipeline, by name"},
          {"propertyNames", {{"pattern", "^[A-Za-z_][A-Za-z0-9_-]*$"}}},
          {"additionalProperties", node}};
}

Json subgraph_schema(const Json& nodes) {
  return {
      {"type", "object"},
      {"additionalProperties", false},
      {"required", {"outputs", "nodes"}},
      {"properties",
       {{"summary", {{"type", "string"}, {"description", "what it does, in a sentence"}}},
        {"inputs",
         {{"anyOf",
           Json::array({Json{{"type", "array"}, {"items", {{"type", "string"}}}},
                        Json{{"type", "object"}, {"additionalProperties", {{"type", {"string", "null"}}}}}})},
          {"description",
           "names for what a use connects to it; as a map with defaults: nodes inside, or other inputs"}}},
        {"parameters",
         {{"type", "object"},
          {"description", "names and defaults, used inside as $name; without a default a use must give it"}}},
        {"outputs",
         {{"type", "object"},
          {"additionalProperties", {{"type", "string"}}},
          {"description", "what the outside may read: name and node inside"}}},
        {"nodes", nodes}}}};
}

Json described(const char* description, Json schema) {
  schema["description"] = description;
  return schema;
}

}  // namespace

std::string json_schema(const NodeTypes& types, const std::vector<std::string>& layers) {
  const Json nodes = nodes_schema(types, layers);
  const Json map = {{"type", {"object", "null"}}};
  const Json stage = {
      {"type", "object"},
      {"additionalProperties", false},
      {"properties", {{"set", described("variables, and parameters as nodes.ID.PARAMETER", map)}}}};
  const Json paths = {{"anyOf", Json::array({Json{{"type", "string"}},
                                             Json{{"type", "array"}, {"items", {{"type", "string"}}}}})}};
  const Json every = {
      {"anyOf", Json::array({Json{{"type", "integer"}, {"minimum", 1}},
                             Json{{"type", "string"}, {"pattern", "^[0-9.]+ *(s|sec|min|h)$"}},
                             Json{{"type", "string"}, {"pattern", "[$]"}}})}};
  const Json checkpoint = {
      {"type", {"object", "null"}},
      {"description", "where a run keeps what it needs to go on with --resume, and how often"},
      {"additionalProperties", false},
      {"properties",
       {{"path", {{"type", "string"}, {"description", "relative to the current folder"}}},
        {"every", described("iterations (50), or a time (2 min)", every)}}}};
  Json subgraphs = map;
  subgraphs["additionalProperties"] = subgraph_schema(nodes);
  const Json known_types = {
      {"properties",
       {{"nodes", {{"additionalProperties", {{"properties", {{"type", type_names(types)}}}}}}}}}};
  const Json root = {
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"type", "object"},
      {"required", {"version"}},
      {"additionalProperties", false},
      {"properties",
       {{"version", {{"const", 1}, {"description", "version of the language"}}},
        {"vars", described("values used as $name, and set with --set name=value", map)},
        {"include", described("other pipeline files, relative to this one", paths)},
        {"subgraphs", described("groups of nodes that can be used like node types", subgraphs)},
        {"nodes", nodes},
        {"schedule",
         {{"type", {"array", "null"}},
          {"description", "stages, coarse to fine: each starts from the last one's result, resized"},
          {"items", stage}}},
        {"checkpoint", checkpoint}}},
      // Without subgraphs, every type must be one of gramflow's own.
      {"if", {{"anyOf", Json::array({Json{{"required", {"subgraphs"}}}, Json{{"required", {"include"}}}})}}},
      {"else", known_types}};
  return root.dump(2) + "\n";
}

}  // namespace gramflow
