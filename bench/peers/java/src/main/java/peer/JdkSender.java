package peer;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;

/** By the JDK's own client. */
final class JdkSender implements HttpSender {
    private final Settings settings;
    private final Map<Trust, HttpClient> clients = new ConcurrentHashMap<>();

    JdkSender(Settings settings) {
        this.settings = settings;
    }

    @Override
    public CompletableFuture<Answer> get(String url, Map<String, String> headers, Trust trust) {
        var request = HttpRequest.newBuilder(URI.create(url));
        headers.forEach(request::header);
        var client = clients.computeIfAbsent(trust, JdkSender::client);
        var sent = client.sendAsync(request.build(), head -> new Body(System.nanoTime()));
        var answer = sent.thenApply(this::answer);
        answer.orTimeout(settings.deadline().toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete((given, error) -> {
                if (error != null) {
                    sent.cancel(true); // after the deadline it would hold its connection
                }
            });
        return answer;
    }

    private static HttpClient client(Trust trust) {
        return HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(Certificates.context(trust))
            .build();
    }

    private Answer answer(HttpResponse<Body> response) {
        var headers = new HashMap<String, String>();
        response.headers().map().forEach((name, values) -> headers.put(name, String.join(", ", values)));
        var body = response.body();
        return new Answer(response.statusCode(), headers, body.kept.kept(), body.headAt, "", false);
    }

    private final class Body implements HttpResponse.BodySubscriber<Body> {
        private final long headAt;
        private final CappedBody kept = new CappedBody(settings.maxResponseBytes());
        private final CompletableFuture<Body> whole = new CompletableFuture<>();
        private Flow.Subscription subscription;

        Body(long headAt) {
            this.headAt = headAt;
        }

        @Override
        public CompletionStage<Body> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> chunks) {
            for (var chunk : chunks) {
                var bytes = new byte[chunk.remaining()];
                chunk.get(bytes);
                if (!kept.add(bytes)) {
                    subscription.cancel();
                    whole.complete(this);
                }
            }
        }

        @Override
        public void onError(Throwable error) {
            whole.completeExceptionally(error);
        }

        @Override
        public void onComplete() {
            whole.complete(this);
        }
    }
}
