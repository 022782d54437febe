#!/usr/bin/env bash
# One benchmark: bench/run.sh NAME [--quick] [--json FILE]
#
#   baseline      the gateway as a whole: start, memory, calls by the front door, MQTT there and back, cold starts
#   cold-start    first byte from every rung of the ladder; many functions at once
#   data-path     what the kernel does for a request: the route (against Podman's published port and the usual sidecars), the
#                 short way from the gateway, the meter, MQTT by the gateway and by the kernel; --only PART,… takes some of
#                 route, meter, adaptor. Load generators on processor 0, all that serves them on processor 1
#   mqtt-adaptor  data-path --only adaptor
#   wake          what holding a connection and waking a function add to its start
#   replay        what each policy of keeping functions warm would have cost on a trace (--trace FILE) or on generated traffic
#                 (--shape NAME|all, --seed N); simulated, so it needs neither root nor containers: docs/forecast.md.
#                 --live replays a day in minutes (--seconds 300) against containers, beside its simulation
#   forecast-cost what it costs that all forecasters observe every arrival
#   count         whether meter and function count the same
#   delivery-cost what each promise costs, beside a loop of Paho and Java's HTTP client that promises none
#   crash         whether what was promised is kept, whoever dies: --rounds N, --seed N, --only KIND (docs/delivery.md)
#
# Prints a table; with --json writes {"bench":…,"machine":{…},"rows":[{"metric":…,"value":…,"unit":…,"reference":…,
# "reference_value":…,"ratio":…}]}. The reference is measured in the same run, in turn with the value, over several
# rounds; values are medians. A row that has a goal also has "target" and "met". --quick takes fewer rounds.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=${1:-}
case $name in
  baseline) class=io.weir.bench.Baseline ;;
  cold-start) class=io.weir.bench.ColdStart ;;
  mqtt-adaptor) class=io.weir.bench.DataPath; set -- "$@" --only adaptor ;;
  data-path) class=io.weir.bench.DataPath ;;
  wake) class=io.weir.bench.Wake ;;
  delivery-cost) class=io.weir.bench.DeliveryCost ;;
  crash) class=io.weir.bench.Crash ;;
  replay) class=io.weir.bench.Replay ;;
  forecast-cost) class=io.weir.bench.ForecastCost ;;
  count) class=io.weir.bench.Count ;;
  *) echo "usage: bench/run.sh NAME [--quick] [--json FILE], NAME one of baseline cold-start data-path wake count replay forecast-cost mqtt-adaptor delivery-cost crash" >&2; exit 2 ;;
esac
shift
# The simulation needs a compiler, not what the others measure against.
case "$name $*" in
  replay*--live*) "$top/weir" bench-setup ;;
  replay* | forecast-cost*) "$top/weir" build ;;
  *) "$top/weir" bench-setup ;;
esac
exec java -XX:+UseSerialGC -Dweir.dist="$top/distrib/target/weir-0.1.0-SNAPSHOT/weir" \
  -Dweir.work="$top/bench/target/work" -cp "$top/bench/target/classes:$top/bench/target/lib/*" "$class" "$@"
