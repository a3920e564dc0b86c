package peer;

import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.function.Function;
import pca.CallCompleted;
import pca.Dispatch;

/** How the values of twelve call details are written in a request. Empty: does not apply. */
final class Placeholders {
    static final Map<String, Function<Dispatch, String>> VALUES = Map.ofEntries(
        Map.entry("date_time", d -> eastern(d.getCall())),
        Map.entry("sid", d -> d.getCall().getSid()),
        Map.entry("call_type", d -> callType(d.getCall().getCallType())),
        Map.entry("called_number", d -> number(d.getCall().getCalledNumber(), d.getCall().getCalledE164())),
        Map.entry("caller_id", d -> number(d.getCall().getCallerId(), d.getCall().getCallerE164())),
        Map.entry("talk_minutes", d -> tenths(d.getCall().getTalkSeconds())),
        Map.entry("call_duration", d -> callDuration(d.getCall())),
        Map.entry("last_action", d -> d.getCall().getLastAction()),
        Map.entry("phone_label", Placeholders::phoneLabel),
        Map.entry("transferred_to_number",
            d -> number(d.getCall().getTransferredToNumber(), d.getCall().getTransferredToE164())),
        Map.entry("lookup_last_name", Placeholders::lookupLastName),
        Map.entry("recording_duration", d -> whole(d.getCall().getRecordingSeconds())));

    private static final ZoneId EASTERN = ZoneId.of("America/New_York");
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

    private Placeholders() {}

    /** Empty for a time outside the years 1 to 9999. */
    private static String eastern(CallCompleted call) {
        var there = call.getStartedAt().atZone(EASTERN);
        return there.getYear() < 1 || there.getYear() > 9999 ? "" : TIME.format(there);
    }

    private static String callType(String word) {
        return switch (word) {
            case "inbound" -> "Inbound";
            case "outbound" -> "Outbound";
            case "click-to" -> "Click-To";
            default -> word;
        };
    }

    /** 10 national digits for +1, else E.164 without the plus; what is no number as it came. */
    private static String number(String raw, String e164) {
        if (e164.isEmpty()) {
            return raw;
        }
        return e164.substring(e164.startsWith("+1") && e164.length() == 12 ? 2 : 1);
    }

    /** Minutes rounded up to the tenth, in integers. */
    private static String tenths(Long seconds) {
        if (seconds == null || seconds < 0) {
            return "";
        }
        long count = (seconds + 5) / 6;
        return count / 10 + "." + count % 10;
    }

    private static String callDuration(CallCompleted call) {
        Long talk = call.getTalkSeconds();
        Long intelligent = call.getIntelligentSeconds();
        if (talk == null && intelligent == null) {
            return "";
        }
        long seconds = (talk == null ? 0 : talk) + (intelligent == null ? 0 : intelligent);
        return seconds < 0 ? "" : Long.toString((seconds + 59) / 60);
    }

    private static String phoneLabel(Dispatch dispatch) {
        String configured = dispatch.getPhoneLabel();
        return configured.isEmpty() ? dispatch.getCall().getPhoneLabel() : configured;
    }

    private static String lookupLastName(Dispatch dispatch) {
        var lookup = dispatch.getCall().getLookup();
        return lookup == null || !dispatch.getReverseLookupEnabled() ? "" : lookup.getLastName();
    }

    private static String whole(Long value) {
        return value == null ? "" : value.toString();
    }
}
