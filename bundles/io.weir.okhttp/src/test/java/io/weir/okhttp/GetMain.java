package io.weir.okhttp;

import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;

/** Fetches a page, with nothing but the bundle on the class path, and prints status and body. */
final class GetMain {
  private GetMain() {}

  public static void main(String[] args) throws Exception {
    var client = new OkHttpClient.Builder().callTimeout(10, TimeUnit.SECONDS).build();
    try (var response = client.newCall(new Request.Builder().url(args[0]).build()).execute()) {
      System.out.println(response.code() + " " + response.body().string());
    }
  }
}
