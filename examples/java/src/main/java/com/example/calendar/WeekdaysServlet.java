package com.example.calendar;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;

/** Answers GET /weekdays?from=DATE&to=DATE, with dates as in 2024-12-31. */
final class WeekdaysServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        LocalDate from;
        LocalDate to;
        try {
            from = date(request, "from");
            to = date(request, "to");
        } catch (DateTimeParseException e) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST, "want ?from=YYYY-MM-DD&to=YYYY-MM-DD");
            return;
        }
        response.setContentType("application/json");
        response.getWriter().printf("{\"weekdays\":%d}%n", Weekdays.between(from, to));
    }

    private static LocalDate date(HttpServletRequest request, String name) {
        String text = request.getParameter(name);
        return LocalDate.parse(text == null ? "" : text);
    }
}
