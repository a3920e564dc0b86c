package peer;

import java.nio.charset.StandardCharsets;

/** application/x-www-form-urlencoded: UTF-8, percent-encoded, space as plus. */
final class Form {
    private static final boolean[] SAFE = new boolean[128];
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    static {
        // Not java.net.URLEncoder, which keeps the asterisk and escapes the tilde.
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
            .chars().forEach(c -> SAFE[c] = true);
    }

    private Form() {}

    static void encode(String text, StringBuilder out) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b >= 0 && SAFE[b]) {
                out.append((char) b);
            } else if (b == ' ') {
                out.append('+');
            } else {
                out.append('%').append(HEX[b >> 4 & 15]).append(HEX[b & 15]);
            }
        }
    }
}
