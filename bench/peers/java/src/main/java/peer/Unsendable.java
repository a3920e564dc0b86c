package peer;

/** No request can be made of a dispatch; trying again does not help. */
final class Unsendable extends RuntimeException {
    final String error;

    /** {@code error} is one of the classes of an Attempt record. */
    Unsendable(String error, String detail) {
        super(detail, null, false, false);
        this.error = error;
    }
}
