package peer;

import io.confluent.parallelconsumer.ParallelConsumer;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import io.confluent.parallelconsumer.vertx.VertxParallelEoSStreamProcessor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Delivers what is on pca.dispatch until SIGTERM, by Confluent's Parallel Consumer. */
public final class Main {
    private static final Duration COMMIT_INTERVAL = Duration.ofSeconds(1);
    private static final Duration STOP = Duration.ofSeconds(3);

    private Main() {}

    /** {@code vertx}: the Vert.x module and client; {@code jdk}: the core module, JDK client. */
    public static void main(String[] arguments) throws InterruptedException {
        // Avro's newer reader, which resolves each schema once and not for each record.
        System.setProperty("org.apache.avro.fastread", "true");
        // Avro makes objects only of classes that it is told to trust: those generated here.
        System.setProperty("org.apache.avro.SERIALIZABLE_PACKAGES", "pca");
        var settings = Settings.of(System.getenv());
        var ledger = new Ledger(settings);
        var consumer = switch (arguments.length == 1 ? arguments[0] : "") {
            case "vertx" -> vertx(settings, ledger);
            case "jdk" -> jdk(settings, ledger);
            default -> throw new IllegalArgumentException("say vertx or jdk");
        };
        var stopping = new AtomicBoolean();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping.set(true);
            consumer.close(STOP, ParallelConsumer.DrainingMode.DONT_DRAIN);
            ledger.close();
        }));
        while (!consumer.isClosedOrFailed()) {
            Thread.sleep(200);
        }
        if (!stopping.get()) {
            System.err.println("the consumer has failed");
            Runtime.getRuntime().halt(1);
        }
    }

    private static ParallelConsumer<byte[], byte[]> vertx(Settings settings, Ledger ledger) {
        var deliverer = new Deliverer(settings, new VertxSender(Vertx.vertx(), settings), ledger);
        // With a Vert.x of its own, which it closes: requests in flight must not fail by that.
        var consumer = new VertxParallelEoSStreamProcessor<byte[], byte[]>(options(settings));
        consumer.subscribe(List.of(settings.topic("dispatch")));
        consumer.vertxFuture(context ->
            Future.fromCompletionStage(deliverer.deliver(context.getSingleConsumerRecord())));
        return consumer;
    }

    /** The core module knows no futures: each of its threads waits for a delivery. */
    private static ParallelConsumer<byte[], byte[]> jdk(Settings settings, Ledger ledger) {
        var deliverer = new Deliverer(settings, new JdkSender(settings), ledger);
        var consumer = ParallelStreamProcessor.createEosStreamProcessor(options(settings));
        consumer.subscribe(List.of(settings.topic("dispatch")));
        consumer.poll(context -> deliverer.deliver(context.getSingleConsumerRecord()).join());
        return consumer;
    }

    private static ParallelConsumerOptions<byte[], byte[]> options(Settings settings) {
        var consumer = new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrapServers(),
                ConsumerConfig.GROUP_ID_CONFIG, settings.group(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false),
            new ByteArrayDeserializer(), new ByteArrayDeserializer());
        return ParallelConsumerOptions.<byte[], byte[]>builder()
            .consumer(consumer)
            .ordering(ProcessingOrder.UNORDERED)
            .maxConcurrency(settings.inFlight())
            .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
            .commitInterval(COMMIT_INTERVAL)
            .build();
    }
}
