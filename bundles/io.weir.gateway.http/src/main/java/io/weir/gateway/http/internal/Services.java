package io.weir.gateway.http.internal;

import io.weir.broker.Broker;
import io.weir.deployment.Deployments;
import io.weir.engine.ContainerEngine;
import io.weir.engine.InstancePool;
import io.weir.engine.Ladder;
import io.weir.engine.Runners;
import io.weir.event.Events;
import io.weir.event.Part;
import io.weir.forecast.Foresight;
import io.weir.function.FunctionRegistry;
import io.weir.invocation.Courier;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.Invoker;
import io.weir.kernel.KernelReport;
import io.weir.kernel.Meter;
import io.weir.kernel.ServiceAddresses;
import java.util.List;
import java.util.Optional;

/** The rest of the gateway as it is now; what may come and go is asked for at every use. */
interface Services {
  FunctionRegistry registry();

  Events events();

  Optional<Invoker> invoker();

  Optional<InvocationJournal> journal();

  Optional<Courier> courier();

  Optional<ContainerEngine> engine();

  Optional<InstancePool> pool();

  Optional<Ladder> ladder();

  Optional<Foresight> foresight();

  Optional<Runners> runners();

  Optional<Broker> broker();

  Optional<KernelReport> kernel();

  Optional<Meter> meter();

  Optional<Deployments> deployments();

  Optional<ServiceAddresses> serviceAddresses();

  List<Part> parts();
}
