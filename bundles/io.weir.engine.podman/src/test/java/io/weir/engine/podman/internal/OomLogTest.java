package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OomLogTest {
  private static final String ID = "113bc63ed360522066d28830318bc4ea5de0024a8d070fc0ef02fdc8957d1564";

  @Test
  void findsTheVictimUnderEveryCgroupLayout() {
    assertThat(OomLog.victim("6,540,1314267656,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=libpod-" + ID
        + ",mems_allowed=0,oom_memcg=/libpod_parent/libpod-" + ID + ",task_memcg=/libpod_parent/libpod-" + ID
        + ",task=probe,pid=7941,uid=1000")).contains(ID);
    assertThat(OomLog.victim("6,540,1314267656,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,"
        + "mems_allowed=0,oom_memcg=/machine.slice/libpod-" + ID + ".scope,task_memcg=/machine.slice/libpod-" + ID
        + ".scope/container,task=node,pid=7941,uid=1000")).contains(ID);
    assertThat(OomLog.victim("6,540,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=user.slice,"
        + "mems_allowed=0,oom_memcg=/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + ID + ".scope,"
        + "task_memcg=/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + ID + ".scope,task=python3,"
        + "pid=7941,uid=100999")).contains(ID);
  }

  @Test
  void leavesOtherRecordsAlone() {
    assertThat(OomLog.victim("6,1,2,-;Memory cgroup out of memory: Killed process 7941 (probe)")).isEmpty();
    assertThat(OomLog.victim("6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/system.slice/x.service,task=x"))
        .isEmpty();
  }

  @Test
  void doesWithoutAKernelLog() throws Exception {
    try (OomLog log = new OomLog(Path.of("/nonexistent/kmsg"))) {
      assertThat(log.killedIn(ID)).isFalse();
    }
  }
}
