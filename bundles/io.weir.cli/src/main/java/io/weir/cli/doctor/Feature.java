package io.weir.cli.doctor;

/**
 * One thing that the kernel may do for the gateway that runs here, in the gateway's words.
 *
 * @param how by which means, or what is done instead
 * @param why what is missing, if it is not active
 */
public record Feature(String name, boolean active, String how, String why) {}
