package peer;

import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import pca.Dispatch;

/** What a dispatcher does with a record, whichever client sends. */
final class Deliverer {
    private record ActionKey(String account, String id, long version) {}

    private final HttpSender sender;
    private final Ledger ledger;
    private final PerAction perAction;
    private final Map<ActionKey, CompiledAction> compiled = new ConcurrentHashMap<>();

    Deliverer(Settings settings, HttpSender sender, Ledger ledger) {
        this.sender = sender;
        this.ledger = ledger;
        this.perAction = new PerAction(settings.inFlightPerAction());
    }

    /** Done when the broker has all that came of the record; fails where it does not take it. */
    CompletableFuture<Void> deliver(ConsumerRecord<byte[], byte[]> record) {
        Dispatch dispatch;
        try {
            dispatch = Dispatch.getDecoder().decode(record.value());
        } catch (IOException | RuntimeException error) { // whatever garbage makes Avro throw
            return ledger.bury(record, error.toString());
        }
        return perAction.run(
                dispatch.getAccountId() + "/" + dispatch.getActionId(), () -> attempt(dispatch))
            .thenCompose(ended -> ledger.write(record.key(), ended));
    }

    private CompletableFuture<Try> attempt(Dispatch dispatch) {
        var attempt = new Try(dispatch, Instant.now(), System.nanoTime());
        CompletableFuture<Answer> answer;
        try {
            var action = compiled(dispatch);
            attempt.url = action.url(dispatch);
            attempt.headers = RequestHeaders.of(action, dispatch, attempt.startedAtMicros());
            answer = sender.get(attempt.url, attempt.headers, action.trust);
        } catch (Unsendable unsendable) {
            answer = CompletableFuture.failedFuture(unsendable);
        } catch (RuntimeException error) { // a URL unlike any: it must not be tried for ever
            answer = CompletableFuture.failedFuture(new Unsendable("unrenderable", error.toString()));
        }
        return answer.handle((given, error) -> attempt.ended(given, error, System.nanoTime()));
    }

    private CompiledAction compiled(Dispatch dispatch) {
        var key = new ActionKey(
            dispatch.getAccountId(), dispatch.getActionId(), dispatch.getActionVersion());
        return compiled.computeIfAbsent(key, unknown -> new CompiledAction(dispatch.getAction()));
    }
}
