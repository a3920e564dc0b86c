package peer;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import pca.Action;
import pca.Dispatch;

/** The headers of a request, and how they are shown in an Attempt record. */
final class RequestHeaders {
    private static final Set<String> OURS = Set.of(
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade");
    private static final Pattern SECRET =
        Pattern.compile("auth|cookie|key|passw|secret|token", Pattern.CASE_INSENSITIVE);

    private RequestHeaders() {}

    /** Those that all requests of an action carry; its own replace ours of the same name. */
    static Map<String, String> fixed(Action action) {
        var headers = new LinkedHashMap<String, String>();
        headers.put("User-Agent", "PostCallAction/1");
        headers.put("Accept", "*/*");
        for (var header : action.getHeaders()) {
            String name = header.getName().toLowerCase();
            if (!OURS.contains(name) && !name.startsWith("webhook-")) {
                headers.keySet().removeIf(known -> known.equalsIgnoreCase(name));
                headers.put(name.equals("traceparent") ? name : header.getName(), header.getValue());
            }
        }
        return headers;
    }

    /** All headers of a try begun at {@code now}, microseconds since 1970. */
    static Map<String, String> of(CompiledAction action, Dispatch dispatch, long now) {
        String id = dispatch.getDispatchId().toString();
        long span = (dispatch.getAttempt() & 0xFF) << 56 | now & 0xFF_FFFF_FFFF_FFFFL;
        String trace = id.replace("-", "");
        var headers = new HashMap<String, String>();
        headers.put("webhook-id", id);
        headers.put("webhook-timestamp", Long.toString(now / 1_000_000));
        headers.put("webhook-attempt", Long.toString(dispatch.getAttempt()));
        headers.put("traceparent", "00-" + trace + "-" + hex(span) + "-01");
        headers.putAll(action.headers);
        return headers;
    }

    private static String hex(long number) {
        String digits = Long.toHexString(number);
        return "0".repeat(16 - digits.length()) + digits;
    }

    /** With the values of secret ones masked. */
    static Map<String, String> shown(Map<String, String> headers) {
        var shown = new HashMap<String, String>();
        headers.forEach((name, value) -> shown.put(name, SECRET.matcher(name).find() ? "***" : value));
        return shown;
    }
}
