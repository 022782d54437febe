package io.weir.gateway.mqtt.internal;

import io.weir.function.FunctionName;
import io.weir.function.FunctionSpec;
import io.weir.function.Trigger;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What makes one kind of session differ from another: whose triggers it is for, and what becomes of its messages. */
interface Line {

  /** The gateway brings the messages. */
  static Line ordinary(Context context, PostOffice office) {
    return new Line() {
      @Override
      public boolean serves(Trigger.Mqtt trigger) {
        return !trigger.fast();
      }

      @Override
      public Optional<Postbox> post(FunctionName function) {
        return Optional.of(office.box(function));
      }

      @Override
      public String clientId(String common) {
        return common;
      }

      @Override
      public MqttConnection connect(MqttConnection.Options options) throws IOException {
        return context.connect(options, BrokerSocket.Opening.ANYWHERE);
      }
    };
  }

  /** @param renew makes the session connect anew; to be called by no thread that the session waits for */
  default void begin(Runnable renew) {}

  boolean serves(Trigger.Mqtt trigger);

  /** Whether messages of a topic must not overtake each other. */
  default boolean inOrder() {
    return false;
  }

  /** @param common what is the same for all sessions of a function */
  String clientId(String common);

  MqttConnection connect(MqttConnection.Options options) throws IOException;

  /** What the session is for from now on; null: for nothing. */
  default void serve(@Nullable FunctionSpec spec) {}

  /** Who sends what the journal keeps of a function by its session. */
  default Optional<Postbox> post(FunctionName function) {
    return Optional.empty();
  }

  /** The connection that {@link #connect} made last is used; who hears what it brings. */
  default MqttConnection.Handler attached(MqttConnection connection, Deliveries deliveries) {
    return deliveries;
  }

  /** It is no more. */
  default void detached() {}

  /** All that arrived is settled, or something of it. */
  default void settled() {}

  /** The connection is about to be ended on purpose; may take a second. */
  default void quiesce() {}

  /** The session is no more. */
  default void close() {}
}
