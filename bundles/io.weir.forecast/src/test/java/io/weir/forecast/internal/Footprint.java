package io.weir.forecast.internal;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Bytes that an object and what it alone refers to take on a 64-bit JVM with compressed references. */
final class Footprint {
  private static final int HEADER = 12;
  private static final int REFERENCE = 4;

  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  /** @param shared what is not counted */
  static long of(Object root, Object... shared) {
    Footprint footprint = new Footprint();
    Collections.addAll(footprint.seen, shared);
    return footprint.count(root);
  }

  private long count(Object object) {
    if (object == null || object instanceof String || object instanceof Class || !seen.add(object)) {
      return 0;
    }
    Class<?> type = object.getClass();
    if (type.isArray()) {
      long size = HEADER + 4;
      int length = Array.getLength(object);
      size += (long) length * width(type.getComponentType());
      if (!type.getComponentType().isPrimitive()) {
        for (int i = 0; i < length; i++) {
          size += count(Array.get(object, i));
        }
      }
      return aligned(size);
    }
    long size = HEADER;
    long referred = 0;
    for (Class<?> of = type; of != Object.class; of = of.getSuperclass()) {
      for (Field field : of.getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers())) {
          continue;
        }
        size += width(field.getType());
        if (!field.getType().isPrimitive()) {
          field.setAccessible(true);
          try {
            referred += count(field.get(object));
          } catch (IllegalAccessException e) {
            throw new AssertionError(e);
          }
        }
      }
    }
    return aligned(size) + referred;
  }

  private static int width(Class<?> type) {
    return type == long.class || type == double.class ? 8 : type == int.class || type == float.class ? 4
        : type == short.class || type == char.class ? 2 : type.isPrimitive() ? 1 : REFERENCE;
  }

  private static long aligned(long size) {
    return (size + 7) / 8 * 8;
  }
}
