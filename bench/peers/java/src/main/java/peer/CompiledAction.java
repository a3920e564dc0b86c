package peer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import pca.Action;
import pca.Dispatch;

/** An action ready to be filled in: what is the same for all its dispatches. */
final class CompiledAction {
    private static final int MAX_URL = 8000;

    /** {@code start} is the encoded name with its equals sign. */
    private record Parameter(String start, Function<Dispatch, String> value, boolean omitEmpty) {}

    final Map<String, String> headers;
    final Trust trust;
    private final String url;
    /** What stands between the URL and the first parameter: a question mark, "&amp;" or nothing. */
    private final String joint;
    private final List<Parameter> parameters = new ArrayList<>();

    /** Throws {@link Unsendable} for what a peer cannot do. */
    CompiledAction(Action action) {
        if (!action.getOption().equals("call_detail") || !action.getMethod().equals("GET")
            || action.getIncludeSourcetrak() || action.getIncludeLeadflow()
            || !action.getSigningSecrets().isEmpty() || action.getTargetUrl().contains("@")) {
            throw new Unsendable("unsupported", "a peer sends unsigned GET requests without blocks");
        }
        headers = RequestHeaders.fixed(action);
        trust = Trust.of(action.getTls());
        url = action.getTargetUrl();
        joint = joint(url);
        for (var parameter : action.getParameters()) {
            var value = Placeholders.VALUES.get(parameter.getPlaceholder());
            if (value == null || !parameter.getTransform().isEmpty()) {
                throw new Unsendable("unsupported", "a peer does not know " + parameter);
            }
            var start = new StringBuilder();
            Form.encode(parameter.getName(), start);
            boolean omitEmpty = parameter.getOmitEmpty() || action.getOmitEmpty();
            parameters.add(new Parameter(start.append('=').toString(), value, omitEmpty));
        }
    }

    private static String joint(String url) {
        int mark = url.indexOf('?');
        if (mark < 0) {
            return "?";
        }
        return mark == url.length() - 1 || url.endsWith("&") ? "" : "&";
    }

    String url(Dispatch dispatch) {
        var out = new StringBuilder(512).append(url);
        String between = joint;
        for (var parameter : parameters) {
            String value = parameter.value().apply(dispatch);
            if (!value.isEmpty() || !parameter.omitEmpty()) {
                out.append(between).append(parameter.start());
                between = "&";
                Form.encode(value, out);
            }
        }
        if (out.length() > MAX_URL) {
            throw new Unsendable("url_too_long", "the URL has " + out.length() + " characters");
        }
        return out.toString();
    }
}
