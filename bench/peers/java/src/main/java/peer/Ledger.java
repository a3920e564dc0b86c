package peer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import pca.Attempt;
import pca.Dispatch;
import pca.Failure;

/** What came of dispatches, written to Kafka. Its futures are done when the broker has it. */
final class Ledger implements AutoCloseable {
    private static final Duration RETRY_DELAY = Duration.ofSeconds(5);

    private final KafkaProducer<byte[], byte[]> producer;
    private final String attempts;
    private final String retries;
    private final String dead;

    Ledger(Settings settings) {
        producer = new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrapServers(),
                ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true,
                ProducerConfig.ACKS_CONFIG, "all",
                ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4",
                ProducerConfig.LINGER_MS_CONFIG, 1),
            new ByteArraySerializer(), new ByteArraySerializer());
        attempts = settings.topic("attempts");
        retries = settings.topic("retry.5s");
        dead = settings.topic("dead");
        // Asked for now: the first send to each would else block an event loop until it is known.
        for (String topic : List.of(attempts, retries, dead)) {
            producer.partitionsFor(topic);
        }
    }

    CompletableFuture<Void> write(byte[] key, Try ended) {
        Instant nextAt = ended.outcome == Try.Outcome.RETRY ? ended.endedAt().plus(RETRY_DELAY) : null;
        byte[] account = ended.dispatch.getAccountId().getBytes(StandardCharsets.UTF_8);
        try {
            var written = send(attempts, account, Attempt.getEncoder().encode(ended.record(nextAt)));
            return switch (ended.outcome) {
                case DELIVERED -> written;
                case RETRY -> CompletableFuture.allOf(written, writeOn(retries, key, ended, nextAt));
                case DEAD -> CompletableFuture.allOf(written, writeOn(dead, key, ended, null));
            };
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private CompletableFuture<Void> writeOn(String topic, byte[] key, Try ended, Instant dueAt)
            throws IOException {
        var dispatch = ended.dispatch;
        Long status = ended.answer == null ? null : (long) ended.answer.status();
        dispatch.setFailure(new Failure(ended.error, ended.detail, status, ended.endedAt()));
        dispatch.setDueAt(dueAt);
        if (ended.outcome == Try.Outcome.RETRY) {
            dispatch.setAttempt(dispatch.getAttempt() + 1);
        }
        return send(topic, key, Dispatch.getEncoder().encode(dispatch));
    }

    /** Keeps what cannot be read. */
    CompletableFuture<Void> bury(ConsumerRecord<byte[], byte[]> record, String reason) {
        var copy = new ProducerRecord<>(dead, record.key(), record.value());
        copy.headers().add("detail", reason.getBytes(StandardCharsets.UTF_8));
        return send(copy);
    }

    private CompletableFuture<Void> send(String topic, byte[] key, ByteBuffer value) {
        return send(new ProducerRecord<>(topic, key, value.array()));
    }

    private CompletableFuture<Void> send(ProducerRecord<byte[], byte[]> record) {
        var acknowledged = new CompletableFuture<Void>();
        producer.send(record, (metadata, error) -> {
            if (error == null) {
                acknowledged.complete(null);
            } else {
                acknowledged.completeExceptionally(error);
            }
        });
        return acknowledged;
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(1));
    }
}
