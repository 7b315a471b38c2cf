package com.example.calendar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.LocalDate;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Test;

class WeekdaysTest {
    private static final LocalDate MONDAY = LocalDate.of(2024, 1, 1);

    @Test
    void aWeekHasFive() {
        assertEquals(5, Weekdays.between(MONDAY, MONDAY.plusWeeks(1)));
        assertEquals(5, Weekdays.between(MONDAY.plusDays(3), MONDAY.plusDays(10)));
    }

    @Test
    void aWeekendHasNone() {
        assertEquals(0, Weekdays.between(MONDAY.plusDays(5), MONDAY.plusDays(7)));
        assertEquals(0, Weekdays.between(MONDAY, MONDAY));
    }

    @Test
    void backwardsIsNegative() {
        assertEquals(-3, Weekdays.between(MONDAY.plusDays(3), MONDAY));
    }

    @Test
    void theServerAnswers() throws Exception {
        Tomcat tomcat = Main.start(0);
        try {
            String base = "http://localhost:" + tomcat.getConnector().getLocalPort() + "/weekdays";
            assertEquals(400, get(base + "?from=today").statusCode());
            assertEquals("{\"weekdays\":262}", get(base + "?from=2024-01-01&to=2025-01-01").body().trim());
        } finally {
            tomcat.stop();
            tomcat.destroy();
        }
    }

    private static HttpResponse<String> get(String url) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }
}
