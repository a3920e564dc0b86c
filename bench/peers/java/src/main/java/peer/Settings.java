package peer;

import java.time.Duration;
import java.util.Map;

/** The dispatcher's settings, from the environment, as far as a peer needs them. */
record Settings(String bootstrapServers, String prefix, int inFlight, int inFlightPerAction,
                Duration deadline, int maxResponseBytes) {

    static Settings of(Map<String, String> environment) {
        return new Settings(
            environment.getOrDefault("PCA_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            environment.getOrDefault("PCA_TOPIC_PREFIX", "pca."),
            Integer.parseInt(environment.getOrDefault("PCA_DISPATCHER_IN_FLIGHT", "2000")),
            Integer.parseInt(environment.getOrDefault("PCA_DISPATCHER_IN_FLIGHT_PER_ACTION", "16")),
            seconds(environment.getOrDefault("PCA_DISPATCHER_DEADLINE", "15")),
            Integer.parseInt(environment.getOrDefault("PCA_DISPATCHER_MAX_RESPONSE_BYTES", "65536")));
    }

    String topic(String name) {
        return prefix + name;
    }

    String group() {
        return prefix + "pca-dispatcher";
    }

    private static Duration seconds(String number) {
        return Duration.ofMillis(Math.round(Double.parseDouble(number) * 1000));
    }
}
