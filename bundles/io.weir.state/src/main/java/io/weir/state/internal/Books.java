package io.weir.state.internal;

import io.weir.function.FunctionName;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The books of all functions, and the attempts that are in work. Thread-safe. */
final class Books {
  private final String life;
  private final AtomicLong ids = new AtomicLong();
  private final Map<FunctionName, Book> books = new ConcurrentHashMap<>();
  private final Map<String, Book.Attempt> attempts = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** @param life a word that no other process or earlier one has */
  Books(String life) {
    this.life = life;
  }

  Book of(FunctionName function) {
    return books.computeIfAbsent(function, name -> new Book(name, attempt -> attempts.remove(attempt.id())));
  }

  Book.Attempt begin(FunctionName function, String event) {
    Book.Attempt attempt = of(function).new Attempt(life + Long.toString(ids.incrementAndGet(), 36), event);
    attempts.put(attempt.id(), attempt);
    if (closed) {
      attempt.drop();
    }
    return attempt;
  }

  /** The attempt with this id, if it is one of this function's and in work. */
  Optional<Book.Attempt> attempt(FunctionName function, String id) {
    return Optional.ofNullable(attempts.get(id)).filter(attempt -> attempt.book().name().equals(function));
  }

  boolean isInWork(FunctionName function, String event) {
    return attempts.values().stream()
        .anyMatch(attempt -> attempt.event().equals(event) && attempt.book().name().equals(function));
  }

  int inWork() {
    return attempts.size();
  }

  /** What is in work does not count any more: nobody can tell what else it would have changed. */
  void close() {
    closed = true;
    attempts.values().forEach(Book.Attempt::drop);
  }
}
