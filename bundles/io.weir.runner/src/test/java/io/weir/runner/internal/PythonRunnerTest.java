package io.weir.runner.internal;

import io.weir.function.Language;

class PythonRunnerTest extends RunnerContract {
  @Override
  Language language() {
    return Language.PYTHON;
  }

  @Override
  String handler() {
    return """
        import os
        import threading

        GREETING = os.environ.get("GREETING")
        met = threading.Barrier(2)

        def handle(event):
            if event.path == "/event":
                return {"method": event.method, "path": event.path, "query": event.query, "header": event.headers.get("X-Own"),
                        "text": event.text, "value": event.json()["value"], "id": event.id, "type": event.type,
                        "source": event.source, "subject": event.subject, "time": event.time}
            if event.path == "/env":
                return GREETING
            if event.path == "/nothing":
                return None
            if event.path == "/bytes":
                return b"\\x00\\xff\\n"
            if event.path == "/own":
                return 422, "a,b", {"X-Own": "yes", "content-type": "text/csv"}
            if event.path == "/fail":
                raise RuntimeError("out of order")
            if event.path == "/split":
                return 200, "x", {"X-Own": "a\\r\\nInjected: yes"}
            if event.path == "/meet":
                met.wait()
                return "met"
            if event.path != "/quiet":
                print(event.text)
            return event.text
        """;
  }

  @Override
  String malformed() {
    return "import os\n\ndef handle(:\n  pass\n";
  }

  @Override
  String unlucky() {
    return "def handle(event): pass\nraise OSError('no luck')\n";
  }

  @Override
  String empty() {
    return "def handel(event): pass\n";
  }
}
