package io.weir.invocation;

/** One HTTP header field; names compare without regard to case, a name may occur more than once. */
public record Header(String name, String value) {}
