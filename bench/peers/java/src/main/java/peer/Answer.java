package peer;

import java.util.Map;

/**
 * What a server said: repeated headers joined by a comma, the first 4 KiB of the body.
 *
 * <p>{@code headAt} is {@link System#nanoTime} when the head had come; {@code address} is empty and
 * {@code reused} false where the client does not tell.
 */
record Answer(int status, Map<String, String> headers, byte[] body, long headAt, String address,
              boolean reused) {
    static final int KEPT_BODY = 4096;
}
