package peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.time.Instant;
import java.time.ZoneId;
import java.time.zone.ZoneRules;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The thirteen columns of the demo's model, by a streaming parser and by hand: no tree, no reflection. */
final class FlightFeatures {
  private static final int DEP_DELAY = 0, SCHEDULED_MINUTES = 1, DISTANCE = 2, CARRIER = 3, ORIGIN = 4, DEST = 5;
  private static final int MINUTE_OF_DAY = 6, WEEKDAY = 7, WIND_SPEED = 8, WIND_GUST = 9, PRECIP = 10;
  private static final int VISIB = 11, PRESSURE = 12, COLUMNS = 13;
  private static final int OFFSETS = 4_096;

  private final JsonFactory json =
      JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();
  private final float[] defaults = new float[COLUMNS];
  private final float[] row = new float[COLUMNS];
  private final Map<String, Float> carriers;
  private final Map<String, Float> origins;
  private final Map<String, Float> destinations;
  private final ZoneRules zone;
  /** Offsets of the zone by the hour, direct-mapped: asking its rules costs as much as parsing. */
  private final long[] offsetHours = new long[OFFSETS];
  private final int[] offsetSeconds = new int[OFFSETS];

  FlightFeatures(JsonNode spec) {
    JsonNode columns = spec.at("/inputs/columns");
    for (int column = 0; column < COLUMNS; column++) {
      JsonNode missing = columns.get(column).get("default");
      defaults[column] = missing == null ? Float.NaN : (float) missing.asDouble();
    }
    carriers = categories(columns.get(CARRIER));
    origins = categories(columns.get(ORIGIN));
    destinations = categories(columns.get(DEST));
    zone = ZoneId.of(columns.get(MINUTE_OF_DAY).get("timeZone").asText()).getRules();
    Arrays.fill(offsetHours, Long.MIN_VALUE);
  }

  /** @throws IllegalArgumentException when a column that has no default is not there */
  void write(byte[] document, FloatBuffer matrix, int start) {
    System.arraycopy(defaults, 0, row, 0, COLUMNS);
    try (JsonParser parser = json.createParser(document)) {
      parser.nextToken();
      readFields(parser);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    for (int column = 0; column < COLUMNS; column++)
      if (Float.isNaN(row[column])) throw new IllegalArgumentException("column " + column + " is missing");
    matrix.put(start, row);
  }

  private void readFields(JsonParser parser) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (value == JsonToken.VALUE_NULL) continue;
      switch (name) {
        case "dep_delay" -> row[DEP_DELAY] = parser.getFloatValue();
        case "scheduled_minutes" -> row[SCHEDULED_MINUTES] = parser.getFloatValue();
        case "distance" -> row[DISTANCE] = parser.getFloatValue();
        case "carrier" -> row[CARRIER] = carriers.getOrDefault(parser.getText(), -1f);
        case "origin" -> row[ORIGIN] = origins.getOrDefault(parser.getText(), -1f);
        case "dest" -> row[DEST] = destinations.getOrDefault(parser.getText(), -1f);
        case "scheduled_departure" -> readDeparture(parser.getTextCharacters(), parser.getTextOffset());
        case "wind_speed" -> row[WIND_SPEED] = parser.getFloatValue();
        case "wind_gust" -> row[WIND_GUST] = parser.getFloatValue();
        case "precip" -> row[PRECIP] = parser.getFloatValue();
        case "visib" -> row[VISIB] = parser.getFloatValue();
        case "pressure" -> row[PRESSURE] = parser.getFloatValue();
        case "weather" -> readFields(parser);
        default -> parser.skipChildren();
      }
    }
  }

  /** `2013-11-23T00:00:00Z`, as all of them are. */
  private void readDeparture(char[] text, int at) {
    long days = daysSinceEpoch(digits(text, at, 4), digits(text, at + 5, 2), digits(text, at + 8, 2));
    int seconds =
        digits(text, at + 11, 2) * 3_600 + digits(text, at + 14, 2) * 60 + digits(text, at + 17, 2);
    long utc = days * 86_400 + seconds;
    long local = utc + offsetAt(utc);
    row[MINUTE_OF_DAY] = Math.floorMod(local, 86_400L) / 60;
    row[WEEKDAY] = Math.floorMod(Math.floorDiv(local, 86_400L) + 3, 7L); // 1970-01-01 was a Thursday, Monday is 0
  }

  private int offsetAt(long utcSeconds) {
    long hour = Math.floorDiv(utcSeconds, 3_600L);
    int slot = (int) hour & (OFFSETS - 1);
    if (offsetHours[slot] != hour) {
      offsetHours[slot] = hour;
      offsetSeconds[slot] = zone.getOffset(Instant.ofEpochSecond(utcSeconds)).getTotalSeconds();
    }
    return offsetSeconds[slot];
  }

  private static int digits(char[] text, int at, int count) {
    int value = 0;
    for (int i = at; i < at + count; i++) value = value * 10 + text[i] - '0';
    return value;
  }

  private static long daysSinceEpoch(int year, int month, int day) {
    int shifted = month <= 2 ? year - 1 : year; // the year begins in March: its leap day comes last
    int era = Math.floorDiv(shifted, 400);
    int yearOfEra = shifted - era * 400;
    int dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146_097L + yearOfEra * 365L + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
  }

  private static Map<String, Float> categories(JsonNode column) {
    Map<String, Float> numbers = new HashMap<>();
    for (JsonNode category : column.get("categories")) numbers.put(category.asText(), (float) numbers.size());
    return numbers;
  }
}
