package weir;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** A handler's method, compiled in memory. */
final class Handler {
  /** The handler cannot be used; the message says why. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
      super(message);
    }
  }

  private static final int TOLD = 5;
  private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
  /** Knows the platform's classes after its first use, and is kept for that. */
  private static final StandardJavaFileManager PLATFORM =
      COMPILER.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8);

  private final String file;
  private final Method method;

  private Handler(String file, Method method) {
    this.file = file;
    this.method = method;
  }

  /**
   * Compiles a source file.
   *
   * @param run whether its class is initialised, which runs code of it
   */
  static synchronized Handler of(String file, String code, boolean run) throws Refused {
    Map<String, byte[]> classes = compiled(file, code);
    String simple = file.substring(0, file.lastIndexOf('.'));
    String name = classes.keySet().stream().filter(c -> c.equals(simple) || c.endsWith("." + simple)).findFirst()
        .orElseThrow(() -> new Refused("line 1: it has no class " + simple));
    try {
      Class<?> type = Class.forName(name, run, new InMemory(classes));
      for (Method method : type.getDeclaredMethods()) {
        if (method.getName().equals("handle") && Modifier.isStatic(method.getModifiers())
            && List.of(method.getParameterTypes()).equals(List.of(Event.class))) {
          method.setAccessible(true);
          return new Handler(file, method);
        }
      }
    } catch (ExceptionInInitializerError e) {
      throw new Refused(trace(e.getCause(), file));
    } catch (ClassNotFoundException | LinkageError e) {
      throw new Refused(trace(e, file));
    }
    throw new Refused("line 1: class " + simple + " has no method public static Object handle(weir.Event event)");
  }

  Object handle(Event event) throws Throwable {
    try {
      return method.invoke(null, event);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  String file() {
    return file;
  }

  private static Map<String, byte[]> compiled(String file, String code) throws Refused {
    Map<String, ByteArrayOutputStream> output = new HashMap<>();
    DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
    JavaFileObject source = new SimpleJavaFileObject(URI.create("string:///" + file), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return code;
      }
    };
    JavaFileManager files = new ForwardingJavaFileManager<JavaFileManager>(PLATFORM) {
      @Override
      public JavaFileObject getJavaFileForOutput(Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
        return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/') + kind.extension), kind) {
          @Override
          public OutputStream openOutputStream() {
            return output.computeIfAbsent(name, n -> new ByteArrayOutputStream());
          }
        };
      }
    };
    boolean good = COMPILER.getTask(null, files, said, List.of("-proc:none", "-g", "-nowarn"), null, List.of(source)).call();
    if (!good) {
      throw new Refused(said.getDiagnostics().stream().filter(d -> d.getKind() == Diagnostic.Kind.ERROR).limit(TOLD)
          .map(d -> "line " + Math.max(1, d.getLineNumber()) + ": " + d.getMessage(Locale.ROOT)).collect(Collectors.joining("\n")));
    }
    return output.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().toByteArray()));
  }

  /** The stack down to the handler's own file; what called it is the runner's. */
  static String trace(Throwable error, String file) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      StackTraceElement[] frames = cause.getStackTrace();
      for (int i = frames.length - 1; i >= 0; i--) {
        if (file.equals(frames[i].getFileName())) {
          cause.setStackTrace(Arrays.copyOf(frames, i + 1));
          break;
        }
      }
    }
    StringWriter text = new StringWriter();
    error.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }

  private static final class InMemory extends ClassLoader {
    private final Map<String, byte[]> classes;

    InMemory(Map<String, byte[]> classes) {
      super(Handler.class.getClassLoader());
      this.classes = classes;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      byte[] bytes = classes.get(name);
      if (bytes == null) {
        throw new ClassNotFoundException(name);
      }
      return defineClass(name, bytes, 0, bytes.length);
    }
  }
}
