package peer;

import pca.Tls;

/** Which servers a connection trusts; {@code ca} is PEM, empty for the system's authorities. */
record Trust(boolean verify, String ca) {
    private static final Trust SYSTEM = new Trust(true, "");

    static Trust of(Tls tls) {
        if (tls == null) {
            return SYSTEM;
        }
        if (!tls.getClientCertificate().isEmpty()) {
            throw new Unsendable("unsupported", "a peer has no client certificates");
        }
        return new Trust(tls.getVerify(), tls.getCa());
    }
}
