/** The gateway as the command line sees it: its REST API, its event stream and its broker. */
@NullMarked
package io.weir.cli.gateway;

import org.jspecify.annotations.NullMarked;
