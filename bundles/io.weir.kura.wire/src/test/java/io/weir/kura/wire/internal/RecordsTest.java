package io.weir.kura.wire.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.kura.type.TypedValue;
import org.eclipse.kura.type.TypedValues;
import org.eclipse.kura.wire.WireRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordsTest {
  private static List<WireRecord> read(String json) {
    return Records.read(json.getBytes(StandardCharsets.UTF_8));
  }

  private static Map<String, TypedValue<?>> one(String json) {
    List<WireRecord> records = read(json);
    assertThat(records).hasSize(1);
    return records.get(0).getProperties();
  }

  @Test
  void bringsEveryTypeBackAsItWas() {
    Map<String, TypedValue<?>> values = new LinkedHashMap<>();
    values.put("boolean", TypedValues.newBooleanValue(true));
    values.put("bytes", TypedValues.newByteArrayValue(new byte[] {0, -1, 127, -128}));
    values.put("noBytes", TypedValues.newByteArrayValue(new byte[0]));
    values.put("double", TypedValues.newDoubleValue(0.1));
    values.put("tiny", TypedValues.newDoubleValue(Double.MIN_VALUE));
    values.put("nan", TypedValues.newDoubleValue(Double.NaN));
    values.put("infinite", TypedValues.newFloatValue(Float.NEGATIVE_INFINITY));
    values.put("float", TypedValues.newFloatValue(0.1f));
    values.put("largest", TypedValues.newFloatValue(Float.MAX_VALUE));
    values.put("int", TypedValues.newIntegerValue(Integer.MIN_VALUE));
    values.put("long", TypedValues.newLongValue(Long.MAX_VALUE));
    values.put("small", TypedValues.newLongValue(1));
    values.put("text", TypedValues.newStringValue("ü \"quoted\"\n\u0000\ud83d\ude00"));
    values.put("empty", TypedValues.newStringValue(""));

    List<WireRecord> back = Records.read(Records.json("timer", List.of(new WireRecord(values), new WireRecord(Map.of()))));

    assertThat(back).hasSize(2);
    assertThat(back.get(0).getProperties()).isEqualTo(values);
    assertThat(back.get(1).getProperties()).isEmpty();
  }

  @Test
  void saysInTheJsonWhatTypeEachValueIs() {
    byte[] json = Records.json("timer", List.of(new WireRecord(Map.of("n", TypedValues.newIntegerValue(5)))));

    assertThat(json).asString(StandardCharsets.UTF_8)
        .isEqualTo("{\"emitter\":\"timer\",\"records\":[{\"n\":{\"type\":\"INTEGER\",\"value\":5}}]}");
  }

  @Test
  void takesAnAnswerWithoutTypes() {
    assertThat(one("{\"n\": 5, \"x\": 0.5, \"ok\": false, \"s\": \"a\", \"gone\": null, \"list\": [1, 2]}")).isEqualTo(Map.of(
        "n", TypedValues.newLongValue(5), "x", TypedValues.newDoubleValue(0.5), "ok", TypedValues.newBooleanValue(false),
        "s", TypedValues.newStringValue("a"), "list", TypedValues.newStringValue("[1,2]")));
  }

  @Test
  void takesOneRecordAListOrAnObjectOfRecords() {
    assertThat(read("{\"a\": 1}")).hasSize(1);
    assertThat(read("[{\"a\": 1}, {\"a\": 2}]")).hasSize(2);
    assertThat(read("{\"records\": [{\"a\": 1}, {\"a\": 2}, {\"a\": 3}]}")).hasSize(3);
    assertThat(read("[]")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"hello", "{", "[1]", "5", "\"text\"", "{\"n\": {\"type\": \"LONG\", \"value\": \"many\"}}",
      "{\"n\": {\"type\": \"CHAR\", \"value\": \"c\"}}", "{\"n\": {\"type\": \"BOOLEAN\", \"value\": \"maybe\"}}",
      "{\"n\": {\"type\": \"INTEGER\", \"value\": 3000000000}}", "{\"n\": {\"type\": \"BYTE_ARRAY\", \"value\": \"%\"}}"})
  void refusesWhatIsNoRecord(String answer) {
    assertThatThrownBy(() -> read(answer)).isInstanceOf(Records.Unreadable.class);
  }
}
