package peer;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.PemTrustOptions;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** By the client of Vert.x. */
final class VertxSender implements HttpSender {
    private final Vertx vertx;
    private final Settings settings;
    private final Map<Trust, HttpClient> clients = new ConcurrentHashMap<>();
    /** Connections that have had no request yet. */
    private final Set<HttpConnection> fresh = ConcurrentHashMap.newKeySet();

    VertxSender(Vertx vertx, Settings settings) {
        this.vertx = vertx;
        this.settings = settings;
    }

    @Override
    public CompletableFuture<Answer> get(String url, Map<String, String> headers, Trust trust) {
        var options = new RequestOptions().setMethod(HttpMethod.GET).setAbsoluteURI(url);
        headers.forEach(options::putHeader);
        var answer = new CompletableFuture<Answer>();
        clients.computeIfAbsent(trust, this::client).request(options)
            .onSuccess(request -> send(request, answer))
            .onFailure(answer::completeExceptionally);
        return answer.orTimeout(settings.deadline().toMillis(), TimeUnit.MILLISECONDS);
    }

    private HttpClient client(Trust trust) {
        var options = new HttpClientOptions()
            .setMaxPoolSize(settings.inFlight())
            .setConnectTimeout((int) settings.deadline().toMillis())
            .setTrustAll(!trust.verify())
            .setVerifyHost(trust.verify());
        if (!trust.ca().isEmpty()) {
            options.setTrustOptions(new PemTrustOptions().addCertValue(Buffer.buffer(trust.ca())));
        }
        return vertx.createHttpClient(options).connectionHandler(fresh::add);
    }

    private void send(HttpClientRequest request, CompletableFuture<Answer> answer) {
        answer.whenComplete((given, error) -> {
            if (error != null) {
                request.reset(); // after the deadline it would hold its connection
            }
        });
        boolean reused = !fresh.remove(request.connection());
        request.send()
            .onSuccess(response -> read(response, reused, answer))
            .onFailure(answer::completeExceptionally);
    }

    private void read(HttpClientResponse response, boolean reused, CompletableFuture<Answer> answer) {
        long headAt = System.nanoTime();
        var connection = response.request().connection();
        var body = new CappedBody(settings.maxResponseBytes());
        Runnable end = () -> answer.complete(new Answer(
            response.statusCode(), headers(response), body.kept(), headAt,
            connection.remoteAddress().toString(), reused));
        response.handler(chunk -> {
            if (!body.add(chunk.getBytes())) {
                end.run();
                connection.close();
            }
        });
        response.endHandler(nothing -> end.run());
        response.exceptionHandler(answer::completeExceptionally);
    }

    private static Map<String, String> headers(HttpClientResponse response) {
        var headers = new HashMap<String, String>();
        response.headers().forEach(
            (name, value) -> headers.merge(name, value, (before, more) -> before + ", " + more));
        return headers;
    }
}
