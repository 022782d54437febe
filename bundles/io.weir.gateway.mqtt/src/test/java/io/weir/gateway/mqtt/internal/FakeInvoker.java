package io.weir.gateway.mqtt.internal;

import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Invoker;
import io.weir.invocation.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Answers as the test says, or leaves the invocation to the test. */
final class FakeInvoker implements Invoker {
  /** One invocation the test may complete itself. */
  record Call(Invocation invocation, CompletableFuture<Outcome> outcome) {
    String header(String name) {
      return invocation.headers().stream().filter(header -> header.name().equalsIgnoreCase(name)).map(Header::value)
          .findFirst().orElse(null);
    }

    String body() {
      try (InputStream in = invocation.body().open()) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();
  final AtomicInteger openBodies = new AtomicInteger();
  /** What to answer; null: the test completes the call. */
  volatile Function<Call, Outcome> behaviour = call -> null;

  @Override
  public CompletionStage<Outcome> invoke(Invocation invocation) {
    Call call = new Call(invocation, new CompletableFuture<>());
    calls.add(call);
    Outcome outcome = behaviour.apply(call);
    if (outcome != null) {
      call.outcome().complete(outcome);
    }
    return call.outcome();
  }

  Call next() throws InterruptedException {
    Call call = calls.poll(10, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("nothing was invoked");
    }
    return call;
  }

  Outcome reply(int status, String body, Header... headers) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    openBodies.incrementAndGet();
    return new Outcome.Replied(status, List.of(headers), new Outcome.Body() {
      @Override
      public InputStream stream() {
        return new ByteArrayInputStream(bytes);
      }

      @Override
      public long length() {
        return bytes.length;
      }

      @Override
      public void close() {
        openBodies.decrementAndGet();
      }
    }, Duration.ofMillis(1), Duration.ZERO);
  }
}
