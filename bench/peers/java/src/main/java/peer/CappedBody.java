package peer;

import java.io.ByteArrayOutputStream;

/** The body of an answer as it comes: the start is kept, and no more is read than allowed. */
final class CappedBody {
    private final int most;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream(0);
    private int read;

    CappedBody(int most) {
        this.most = most;
    }

    /** False where it is too long: nothing more should be read. */
    boolean add(byte[] chunk) {
        read += chunk.length;
        kept.write(chunk, 0, Math.min(chunk.length, Answer.KEPT_BODY - kept.size()));
        return read <= most;
    }

    byte[] kept() {
        return kept.toByteArray();
    }
}
