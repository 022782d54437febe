package io.weir.runner.internal;

import io.weir.function.Language;

class NodeRunnerTest extends RunnerContract {
  @Override
  Language language() {
    return Language.NODE;
  }

  @Override
  String handler() {
    return """
        const greeting = process.env.GREETING;
        let meet, met = new Promise(resolve => { meet = resolve; }), present = 0;

        exports.handle = async (event) => {
          switch (event.path) {
            case '/event':
              return {method: event.method, path: event.path, query: event.query, header: event.header('X-Own'),
                text: event.text, value: event.json().value, id: event.id, type: event.type, source: event.source,
                subject: event.subject, time: event.time};
            case '/env': return greeting;
            case '/nothing': return undefined;
            case '/bytes': return Buffer.from([0, 255, 10]);
            case '/own': return {status: 422, body: 'a,b', headers: {'X-Own': 'yes', 'content-type': 'text/csv'}};
            case '/fail': throw new Error('out of order');
            case '/split': return {status: 200, body: 'x', headers: {'X-Own': 'a\\r\\nInjected: yes'}};
            case '/meet':
              if (++present === 2) meet();
              await met;
              return 'met';
            case '/quiet': return event.text;
            default:
              console.log(event.text);
              return event.text;
          }
        };
        """;
  }

  @Override
  String malformed() {
    return "const a = 1;\n\nfoo bar(;\n";
  }

  @Override
  String unlucky() {
    return "exports.handle = () => 1;\nthrow new Error('no luck');\n";
  }

  @Override
  String empty() {
    return "exports.handel = () => 1;\n";
  }
}
