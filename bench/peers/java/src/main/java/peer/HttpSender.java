package peer;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Sends GET requests over connections that are kept alive; follows no redirects. */
interface HttpSender {
    /** Fails where there is no whole answer within the deadline. */
    CompletableFuture<Answer> get(String url, Map<String, String> headers, Trust trust);
}
