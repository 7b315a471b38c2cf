package com.example.calendar;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;

/** Counts working days, Monday to Friday. */
final class Weekdays {
    private Weekdays() {}

    /** Working days from {@code start} up to, but not including, {@code end}. */
    static long between(LocalDate start, LocalDate end) {
        if (end.isBefore(start)) {
            return -between(end, start);
        }
        long days = ChronoUnit.DAYS.between(start, end);
        long count = days / 7 * 5;
        for (LocalDate day = end.minusDays(days % 7); day.isBefore(end); day = day.plusDays(1)) {
            if (day.getDayOfWeek() != DayOfWeek.SATURDAY && day.getDayOfWeek() != DayOfWeek.SUNDAY) {
                count++;
            }
        }
        return count;
    }
}
