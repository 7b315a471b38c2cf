package com.example.calendar;

import java.io.File;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.startup.Tomcat;

/** Starts Tomcat on port 8080, or on $PORT. */
public final class Main {
    private Main() {}

    /** Runs until the process is asked to end. */
    public static void main(String[] args) throws LifecycleException {
        Tomcat tomcat = start(Integer.parseInt(System.getenv().getOrDefault("PORT", "8080")));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                tomcat.stop();
            } catch (LifecycleException e) {
                e.printStackTrace();
            }
        }));
        tomcat.getServer().await();
    }

    /** Starts a server; port 0 takes a free one. */
    static Tomcat start(int port) throws LifecycleException {
        Tomcat tomcat = new Tomcat();
        // Tomcat keeps temporary files there; the working folder of a container may not be writable.
        tomcat.setBaseDir(new File(System.getProperty("java.io.tmpdir"), "tomcat").getPath());
        tomcat.setPort(port);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "weekdays", new WeekdaysServlet());
        context.addServletMappingDecoded("/weekdays", "weekdays");
        tomcat.getConnector();
        tomcat.start();
        return tomcat;
    }
}
