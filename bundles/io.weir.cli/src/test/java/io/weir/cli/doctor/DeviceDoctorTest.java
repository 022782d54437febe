package io.weir.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.cli.device.ConfFolder;
import io.weir.cli.device.Device;
import io.weir.cli.device.DeviceFacts;
import io.weir.cli.device.Devices;
import io.weir.cli.doctor.Finding.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceDoctorTest {
  private static final DeviceFacts PI4 = new DeviceFacts("Raspberry Pi 4 Model B Rev 1.4", "arm64", 3794, true,
      "console=tty1 cgroup_enable=memory cgroup_memory=1", Set.of("eth0", "wlan0"), true);
  private static final DeviceFacts PC = new DeviceFacts("", "amd64", 16_000, true, "quiet", Set.of("enp1s0"), false);

  private static List<Finding> examine(String wanted, DeviceFacts facts) {
    Optional<Device> device = wanted.isEmpty() ? Optional.empty() : Devices.find(wanted);
    return DeviceDoctor.examine(device, facts, Optional.empty());
  }

  private static List<Finding> bad(List<Finding> findings) {
    return findings.stream().filter(finding -> finding.level() != Level.OK).toList();
  }

  @Test
  void findsOutWhichDeviceAMachineIs() {
    assertThat(bad(examine("", PI4))).isEmpty();
    assertThat(examine("", PI4).get(0).text()).isEqualTo("device raspberry-pi-4 fits Raspberry Pi 4 Model B Rev 1.4, arm64, 3794 MiB");
    assertThat(examine("", PC).get(0).text()).startsWith("device generic-x86_64 fits this machine, amd64");
  }

  @Test
  void saysWhichOneToUseOnAnotherProcessor() {
    assertThat(examine("raspberry-pi-5", PC)).singleElement().satisfies(finding -> {
      assertThat(finding.level()).isEqualTo(Level.FAIL);
      assertThat(finding.text()).isEqualTo("raspberry-pi-5 is for arm64, and this machine is amd64");
      assertThat(finding.fix()).isEqualTo("use --device generic-x86_64");
    });
  }

  @Test
  void saysWhichOneToUseOnAnotherBoard() {
    assertThat(bad(examine("raspberry-pi-5", PI4))).singleElement().satisfies(finding -> {
      assertThat(finding.level()).isEqualTo(Level.WARN);
      assertThat(finding.text()).contains("this is a Raspberry Pi 4");
      assertThat(finding.fix()).isEqualTo("use --device raspberry-pi-4");
    });
  }

  @Test
  void aProcessorThatThereIsNothingForIsSaidSo() {
    assertThat(examine("", new DeviceFacts("", "riscv64", 4000, true, "", Set.of(), false))).singleElement()
        .satisfies(finding -> assertThat(finding.text()).contains("no device configuration fits riscv64"));
  }

  @Test
  void tooLittleMemoryIsTold() {
    DeviceFacts small = new DeviceFacts("", "arm64", 420, true, "", Set.of("eth0"), false);

    assertThat(bad(examine("", small))).singleElement().satisfies(finding -> {
      assertThat(finding.text()).contains("850 MiB of memory or more, and here are 420");
      assertThat(finding.fix()).contains("memory.budget.mib");
    });
  }

  @Test
  void tellsWhatTheKernelsCommandLineLacksAndWhere() {
    DeviceFacts fresh = new DeviceFacts(PI4.model(), "arm64", 3794, false, "console=tty1 cgroup_memory=1", PI4.interfaces(), true);

    assertThat(bad(examine("", fresh))).singleElement().satisfies(finding -> {
      assertThat(finding.level()).isEqualTo(Level.FAIL);
      assertThat(finding.text()).endsWith("its command line lacks cgroup_enable=memory");
      assertThat(finding.fix()).contains("add cgroup_enable=memory", "/boot/firmware/cmdline.txt", "reboot");
    });
  }

  @Test
  void tellsWhatTheInterfacesAreCalledHere() {
    DeviceFacts other = new DeviceFacts("", "amd64", 16_000, true, "", Set.of("enp7s0f1"), false);

    assertThat(bad(examine("", other))).singleElement().satisfies(finding -> assertThat(finding.fix()).contains("enp7s0f1"));
  }

  @Test
  void aJournalOnAnSdCardIsToldWhereADiskIsReckonedWith() {
    DeviceFacts card = new DeviceFacts("", "amd64", 16_000, true, "", Set.of("eth0"), true);

    assertThat(bad(examine("", card))).singleElement().satisfies(finding -> assertThat(finding.fix()).contains("WEIR_DATA"));
  }

  @Test
  void settingsThatAreNotInPlaceAreNamed(@TempDir Path conf) throws Exception {
    ConfFolder folder = new ConfFolder(conf);

    List<Finding> before = bad(DeviceDoctor.examine(Optional.empty(), PI4, Optional.of(folder)));
    folder.apply(Devices.find("raspberry-pi-4").orElseThrow());
    List<Finding> after = bad(DeviceDoctor.examine(Optional.empty(), PI4, Optional.of(folder)));

    assertThat(before).singleElement().satisfies(finding -> {
      assertThat(finding.text()).contains("io.weir.journal window.ms=20");
      assertThat(finding.fix()).isEqualTo("weir device apply raspberry-pi-4");
    });
    assertThat(after).isEmpty();
  }
}
