package peer;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import pca.Attempt;
import pca.Dispatch;

/** One try at a dispatch: what was sent, what came of it, and the Attempt record that tells of it. */
final class Try {
    enum Outcome { DELIVERED, RETRY, DEAD }

    final Dispatch dispatch;
    String url = "";
    Map<String, String> headers = Map.of();
    Outcome outcome;
    String error = "";
    String detail = "";
    Answer answer;
    private final Instant startedAt;
    private final long started;
    private long ended;

    /** {@code started} is {@link System#nanoTime}. */
    Try(Dispatch dispatch, Instant startedAt, long started) {
        this.dispatch = dispatch;
        this.startedAt = startedAt;
        this.started = started;
    }

    long startedAtMicros() {
        return startedAt.getEpochSecond() * 1_000_000 + startedAt.getNano() / 1000;
    }

    Instant endedAt() {
        return startedAt.plusNanos(ended - started);
    }

    /** Judges; either of the first two is null. */
    Try ended(Answer given, Throwable thrown, long now) {
        ended = now;
        answer = given;
        if (given != null) {
            outcome = judged(given.status());
            if (outcome != Outcome.DELIVERED) {
                error = "status";
                detail = "the server answered " + given.status();
            }
        } else if (thrown instanceof Unsendable unsendable) {
            outcome = Outcome.DEAD;
            error = unsendable.error;
            detail = unsendable.getMessage();
        } else {
            var failure = NetworkError.of(thrown);
            outcome = Outcome.RETRY;
            error = failure.error();
            detail = failure.detail();
        }
        return this;
    }

    private static Outcome judged(int status) {
        if (status >= 200 && status < 300) {
            return Outcome.DELIVERED;
        }
        boolean again = status == 408 || status == 425 || status == 429 || status >= 500;
        return again ? Outcome.RETRY : Outcome.DEAD;
    }

    /** {@code nextAt} is null but for a retry. */
    Attempt record(Instant nextAt) {
        var record = new Attempt();
        record.setAccountId(dispatch.getAccountId());
        record.setDispatchId(dispatch.getDispatchId());
        record.setActionId(dispatch.getActionId());
        record.setSid(dispatch.getSid());
        record.setRevision(dispatch.getRevision());
        record.setAttempt(dispatch.getAttempt());
        record.setConfigVersion(dispatch.getConfigVersion());
        record.setActionVersion(dispatch.getActionVersion());
        record.setStartedAt(startedAt);
        record.setDurationUs(micros(ended));
        record.setMethod(url.isEmpty() ? "" : "GET");
        record.setUrl(url);
        record.setRequestHeaders(RequestHeaders.shown(headers));
        record.setRequestBody("");
        if (answer == null) {
            record.setAddress("");
            record.setResponseHeaders(Map.of());
            record.setResponseBody(ByteBuffer.allocate(0));
        } else {
            record.setStatus((long) answer.status());
            record.setAddress(answer.address());
            record.setReused(answer.reused());
            record.setFirstByteUs(micros(answer.headAt()));
            record.setResponseHeaders(RequestHeaders.shown(answer.headers()));
            record.setResponseBody(ByteBuffer.wrap(answer.body()));
        }
        record.setOutcome(outcome.name().toLowerCase());
        record.setError(error);
        record.setErrorDetail(detail);
        record.setNextAt(nextAt);
        record.setFault(fault());
        record.setEndpoint("");
        return record;
    }

    private String fault() {
        return switch (error) {
            case "" -> "";
            case "unsupported", "unrenderable" -> "ours";
            default -> "customer";
        };
    }

    private long micros(long at) {
        return Duration.ofNanos(at - started).toNanos() / 1000;
    }
}
