package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes;
import io.weir.kernel.Routes.Admission;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteBookTest {
  @TempDir Path folder;
  private final List<String> led = new ArrayList<>();
  private boolean refuses;
  private RouteBook book;

  @BeforeEach
  void open() {
    book = new RouteBook(new FunctionIndex(folder.resolve("functions"), Settings.Way.AUTO), new Once());
    book.use(new RouteWay() {
      @Override
      public Routes.Way way() {
        return Routes.Way.EBPF;
      }

      @Override
      public void reachableAt(Set<InetAddress> addresses) {}

      @Override
      public void declare(Served service) {
        if (refuses) {
          throw new KernelError("telling of " + service.function(), 7);
        }
        led.add(service.function().value());
      }

      @Override
      public void withdraw(Served service) {
        led.remove(service.function().value());
      }

      @Override
      public void retarget(Served service) {}

      @Override
      public boolean holdAt(int listener) {
        return true;
      }

      @Override
      public void close() {}
    });
  }

  private java.util.Optional<String> declare(String name, int port) {
    return book.declare(new FunctionName(name), port, Admission.EVERYBODY);
  }

  @Test
  void whatTheMapsHaveNoRoomForIsRefusedWithTheLimitUntilThereIsRoom() {
    for (int i = 0; i < Layout.SERVICES; i++) {
      assertThat(declare("f" + i, 20_000 + i)).isEmpty();
    }

    assertThat(declare("one-more", 30_000).orElseThrow()).contains("the gateway carries its connections itself")
        .contains("1024 functions");
    assertThat(led).hasSize(Layout.SERVICES).doesNotContain("one-more");

    book.withdraw(new FunctionName("f3"));
    assertThat(declare("one-more", 30_000)).isEmpty();
    assertThat(led).contains("one-more").doesNotContain("f3");
  }

  @Test
  void whatTheKernelRefusesIsSaidAndTriedAgain() {
    refuses = true;
    assertThat(declare("a", 20_000).orElseThrow()).contains("the kernel refuses");
    assertThat(declare("a", 20_000)).isPresent();

    refuses = false;
    assertThat(declare("a", 20_000)).isEmpty();
    assertThat(led).containsExactly("a");
    assertThat(declare("a", 20_000)).as("nothing twice").isEmpty();
    assertThat(led).containsExactly("a");
  }
}
