package io.weir.gateway.mqtt.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** The socket to the broker, plain or with TLS. */
final class BrokerSocket {
  private final Socket tcp;
  private final Socket socket;

  private BrokerSocket(Socket tcp, Socket socket) {
    this.tcp = tcp;
    this.socket = socket;
  }

  /** Connects within the timeout, which then holds for each read until {@link #readTimeout} changes it. */
  static BrokerSocket connect(URI broker, int timeoutMillis) throws IOException {
    String host = broker.getHost().replaceAll("[\\[\\]]", "");
    Socket tcp = new Socket();
    try {
      tcp.setTcpNoDelay(true);
      tcp.connect(new InetSocketAddress(host, broker.getPort()), timeoutMillis);
      tcp.setSoTimeout(timeoutMillis);
      return new BrokerSocket(tcp, broker.getScheme().equals("ssl") ? secured(tcp, host, broker.getPort()) : tcp);
    } catch (IOException | RuntimeException e) {
      tcp.close();
      throw e;
    }
  }

  private static Socket secured(Socket tcp, String host, int port) throws IOException {
    SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    SSLSocket secure = (SSLSocket) factory.createSocket(tcp, host, port, true);
    SSLParameters parameters = secure.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    secure.setSSLParameters(parameters);
    secure.startHandshake();
    return secure;
  }

  InputStream in() throws IOException {
    return socket.getInputStream();
  }

  OutputStream out() throws IOException {
    return socket.getOutputStream();
  }

  void readTimeout(int millis) throws IOException {
    socket.setSoTimeout(millis);
  }

  /** Says that nothing more is written; what the other side sent can still be read. */
  void finishWriting() throws IOException {
    socket.shutdownOutput();
  }

  /** Ends whatever reads or writes. Never blocks: closing TLS in order would wait for a writer that is stuck. */
  void cut() {
    try {
      tcp.close();
    } catch (IOException e) {
      // gone already
    }
  }
}
