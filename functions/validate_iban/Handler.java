import java.math.BigInteger;
import java.util.Map;

/** Says whether an IBAN's check digits are right (ISO 13616). The JDK alone: no library is packaged. */
public class Handler {
    private static final BigInteger NINETY_SEVEN = BigInteger.valueOf(97);

    public Map<String, Object> handle(Map<String, String> event) {
        String iban = event.getOrDefault("iban", "").replace(" ", "").toUpperCase();
        return Map.of("iban", iban, "valid", isValid(iban));
    }

    static boolean isValid(String iban) {
        if (!iban.matches("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")) {
            return false;
        }
        StringBuilder digits = new StringBuilder();
        for (char each : (iban.substring(4) + iban.substring(0, 4)).toCharArray()) {
            digits.append(Character.getNumericValue(each));
        }
        return new BigInteger(digits.toString()).mod(NINETY_SEVEN).equals(BigInteger.ONE);
    }
}
