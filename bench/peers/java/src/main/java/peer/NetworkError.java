package peer;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Why there was no answer: a class of an Attempt record, and a sentence. */
record NetworkError(String error, String detail) {
    static NetworkError of(Throwable thrown) {
        var cause = thrown instanceof CompletionException ? thrown.getCause() : thrown;
        return new NetworkError(classOf(cause), String.valueOf(cause));
    }

    private static String classOf(Throwable cause) {
        if (cause instanceof UnknownHostException) {
            return "dns";
        } else if (cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException) {
            return "connect";
        } else if (cause instanceof SSLException) {
            return "tls";
        } else if (cause instanceof TimeoutException || cause instanceof HttpTimeoutException) {
            return "timeout";
        } else if (cause instanceof IOException || cause instanceof io.vertx.core.VertxException) {
            return "closed";
        }
        return "protocol";
    }
}
