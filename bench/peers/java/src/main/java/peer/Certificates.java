package peer;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A TLS context of the JDK's that trusts what an action says. */
final class Certificates {
    private Certificates() {}

    /** Throws {@link Unsendable} for what is no PEM, and for certificates that are not to be checked. */
    static SSLContext context(Trust trust) {
        if (!trust.verify()) {
            throw new Unsendable("unsupported", "the JDK's client checks every certificate");
        }
        try {
            if (trust.ca().isEmpty()) {
                return SSLContext.getDefault();
            }
            var authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null);
            var pem = new ByteArrayInputStream(trust.ca().getBytes(StandardCharsets.US_ASCII));
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                authorities.setCertificateEntry("ca-" + authorities.size(), certificate);
            }
            var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(authorities);
            var context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException error) {
            throw new Unsendable("unrenderable", "the action's CA cannot be read: " + error);
        }
    }
}
