package peer;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** At most so many tasks of one action at once; the others wait for their turn. */
final class PerAction {
    private static final class Lane {
        private int running;
        private final Queue<Runnable> waiting = new ArrayDeque<>();
    }

    private final int limit;
    private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

    PerAction(int limit) {
        this.limit = limit;
    }

    /** The task must not throw: its future may fail. */
    <T> CompletableFuture<T> run(String action, Supplier<CompletableFuture<T>> task) {
        var lane = lanes.computeIfAbsent(action, unknown -> new Lane());
        var result = new CompletableFuture<T>();
        Runnable start = () -> task.get().whenComplete((value, error) -> {
            leave(lane);
            if (error == null) {
                result.complete(value);
            } else {
                result.completeExceptionally(error);
            }
        });
        if (mayStart(lane, start)) {
            start.run();
        }
        return result;
    }

    private boolean mayStart(Lane lane, Runnable start) {
        synchronized (lane) {
            if (lane.running == limit) {
                lane.waiting.add(start);
                return false;
            }
            lane.running++;
            return true;
        }
    }

    private void leave(Lane lane) {
        Runnable next;
        synchronized (lane) {
            next = lane.waiting.poll();
            if (next == null) {
                lane.running--;
            }
        }
        if (next != null) {
            next.run();
        }
    }
}
