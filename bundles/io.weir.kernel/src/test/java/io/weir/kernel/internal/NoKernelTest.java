package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.kernel.KernelReport.Feature;
import io.weir.kernel.Routes;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

class NoKernelTest {
  @TempDir Path folder;

  @Test
  void withoutTheLibraryEverythingIsOffAndSaysWhy() {
    Features features = new Features(Engagement.WAITING);
    Engagement engagement = new Engagement(new Engagement.Place(folder, folder, "/nothing/", "0badcafe"),
        new Settings(true, Settings.Way.AUTO, Settings.Shortcut.RUNNERS), features, () -> Optional.of(folder), new Engagement.Users() {
          @Override
          public boolean engineReady() {
            return true;
          }

          @Override
          public void changed() {}

          @Override
          public void counted(DataPlane plane) {
            throw new AssertionError("it cannot work");
          }

          @Override
          public void routed(Routes routes) {
            throw new AssertionError("it cannot work");
          }
        });

    engagement.start();
    engagement.close();

    assertThat(features.features()).hasSize(8).noneMatch(Feature::active)
        .extracting(Feature::why).allMatch(why -> why.contains("this build has no library for"));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aWayThatIsNoneIsRefused() {
    assertThat(Settings.of(config(Map.of()))).isEqualTo(new Settings(true, Settings.Way.AUTO, Settings.Shortcut.RUNNERS));
    assertThat(Settings.of(config(Map.of("way", "nft", "enabled", "false", "shortcut", "none"))))
        .isEqualTo(new Settings(false, Settings.Way.NFT, Settings.Shortcut.NONE));
    assertThatThrownBy(() -> Settings.of(config(Map.of("way", "magic"))))
        .hasMessage("io.weir.kernel: way: 'magic' is not allowed; use one of [auto, ebpf, nft, proxy]");
    assertThatThrownBy(() -> Settings.of(config(Map.of("shortcut", "true"))))
        .hasMessage("io.weir.kernel: shortcut: 'true' is not allowed; use one of [runners, all, none]");
  }

  private static KernelConfig config(Map<String, String> values) {
    return Converters.standardConverter().convert(values).to(KernelConfig.class);
  }
}
