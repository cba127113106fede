#pragma once
// How learning rates are written in YAML: one number or one for each method, falling in steps or along a cosine.
#include <optional>
#include <string>

#include "framework/schema/parameters_detail.h"

namespace gramflow {

/// For recipes that any method may be chosen for. One number means both.
struct RateByMethod {
  std::optional<double> adam;
  std::optional<double> lbfgs;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, RateByMethod& parameters) {
  visitor("adam", parameters.adam, "with adam", more_than(0.0));
  visitor("lbfgs", parameters.lbfgs, "with lbfgs", more_than(0.0));
}

/// What only adam has, for recipes that any method may be chosen for.
struct AdamNumber {
  std::optional<double> adam;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, AdamNumber& parameters) {
  visitor("adam", parameters.adam, "with adam", required(), more_than(0.0));
}

struct StepDecay {
  double factor = 1;
  std::int64_t every = 0;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, StepDecay& parameters) {
  visitor("factor", parameters.factor, "what the learning rate is multiplied by", required(), more_than(0.0));
  visitor("every", parameters.every, "after how many iterations, again and again", required(), at_least(1));
}

struct CosineDecay {
  double cosine = 0;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, CosineDecay& parameters) {
  visitor("cosine", parameters.cosine,
          "the share of the learning rate that it falls to, along half a cosine, by the last iteration; "
          "instead of "
          "'factor' and 'every'",
          required(), at_least(0.0), at_most(1.0));
}

/// One of the two.
struct DecayParameters {
  std::optional<StepDecay> steps;
  std::optional<CosineDecay> cosine;
};

namespace rate_detail {

template <class T>
bool decode_map(const Value::Map& map, const Value& value, T& into, const DecodeContext& context) {
  const std::size_t errors = context.diagnostics.error_count();
  schema_detail::Decoder decoder(map, context.name + ".", value.span, "'" + context.name + "'",
                                 context.diagnostics);
  visit_parameters(decoder, into);
  decoder.finish({});
  return context.diagnostics.error_count() == errors;
}

template <class T>
std::vector<Field> fields_of() {
  schema_detail::Describer describer;
  T defaults{};
  visit_parameters(describer, defaults);
  return describer.fields;
}

/// A number, or a map of numbers that each belong to a method.
template <class T>
std::string number_or_map_schema() {
  return R"("anyOf":[{"type":"number","exclusiveMinimum":0},{)" +
         schema_detail::object_keywords(fields_of<T>()) + "}]";
}

}  // namespace rate_detail

template <>
struct ParameterType<RateByMethod> {
  static void describe(Field& field) {
    field.type = "number or {adam: ..., lbfgs: ...}";
    field.json_schema =
        R"("anyOf":[{"type":"number"},{"type":"object","additionalProperties":false,"properties":)"
        R"({"adam":{"type":"number","exclusiveMinimum":0},"lbfgs":{"type":"number","exclusiveMinimum":0}}}])";
  }
  static bool decode(const Value& value, RateByMethod& rates, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    if (const Value::Map* map = value.map()) return rate_detail::decode_map(*map, value, rates, context);
    double rate = 0;
    if (!decode_number(value, context, rate)) return false;
    rates = {rate, rate};
    return true;
  }
  static std::string text(const RateByMethod&) { return ""; }
};

template <>
struct ParameterType<AdamNumber> {
  static void describe(Field& field) {
    field.type = "number or {adam: ...}";
    field.json_schema = rate_detail::number_or_map_schema<AdamNumber>();
  }
  static bool decode(const Value& value, AdamNumber& number, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    if (const Value::Map* map = value.map()) return rate_detail::decode_map(*map, value, number, context);
    double decoded = 0;
    if (!decode_number(value, context, decoded)) return false;
    number.adam = decoded;
    return true;
  }
  static std::string text(const AdamNumber&) { return ""; }
};

template <>
struct ParameterType<DecayParameters> {
  static void describe(Field& field) {
    field.type = "map";
    field.fields = rate_detail::fields_of<StepDecay>();
    field.json_schema = R"("anyOf":[{)" + schema_detail::object_keywords(field.fields) + "},{" +
                        schema_detail::object_keywords(rate_detail::fields_of<CosineDecay>()) + "}]";
    for (Field& cosine : rate_detail::fields_of<CosineDecay>()) field.fields.push_back(std::move(cosine));
    for (Field& inner : field.fields) inner.required = false;
  }
  static bool decode(const Value& value, DecayParameters& decay, const DecodeContext& context) {
    if (!context.readable(value)) return false;
    const Value::Map* map = value.map();
    if (map == nullptr) {
      context.wrong_type(value, "a map").suggest("for example {factor: 0.8, every: 50}, or {cosine: 0.1}");
      return false;
    }
    if (schema_detail::find_entry(*map, "cosine") != nullptr)
      return rate_detail::decode_map(*map, value, decay.cosine.emplace(), context);
    return rate_detail::decode_map(*map, value, decay.steps.emplace(), context);
  }
  static std::string text(const DecayParameters&) { return ""; }
};

}  // namespace gramflow
