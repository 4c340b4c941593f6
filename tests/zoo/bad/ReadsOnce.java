// A server that takes one read() for all it has asked for: half a message passes for a whole.
// zoo: server lab
// fails: frame/split/header frame/split/bytes frame/split/character fault/truncated

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

public class ReadsOnce {
    static final int MOST = 255;
    static final PrintStream screen =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    static final BufferedReader keyboard =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    static String readable(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            int type = Character.getType(c);
            boolean isHarmless = type != Character.CONTROL && type != Character.FORMAT
                && type != Character.LINE_SEPARATOR && type != Character.PARAGRAPH_SEPARATOR;
            shown.append(isHarmless ? Character.toString(c) : String.format("\\u{%x}", c));
        });
        return shown.toString();
    }

    static String receive(InputStream from) throws IOException {
        byte[] header = new byte[3];
        if (from.read(header) < 0) throw new IOException("its stream has ended");
        int length = 0;
        for (byte digit : header) {
            if (digit < '0' || digit > '9') throw new IOException("it has sent a bad length");
            length = 10 * length + digit - '0';
        }
        if (length > MOST) throw new IOException("it has sent a bad length");
        byte[] body = new byte[length];
        if (length > 0 && from.read(body) < 0) throw new IOException("its stream has ended");
        return new String(body, StandardCharsets.UTF_8);
    }

    static String askPerson(Socket client) throws IOException {
        while (true) {
            String line = keyboard.readLine();
            if (line == null) line = "BYEBYE";
            if (client.getInputStream().available() > 0) throw new IOException("it spoke out of turn");
            if (line.getBytes(StandardCharsets.UTF_8).length <= MOST) return line;
            screen.println("not sent: " + MOST + " bytes is the most");
        }
    }

    static void say(Socket client, String line) throws IOException {
        byte[] body = line.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(String.format("%03d", body.length).getBytes(StandardCharsets.US_ASCII));
        frame.write(body);
        client.getOutputStream().write(frame.toByteArray());
    }

    public static void main(String[] words) throws IOException {
        int port = Integer.parseInt(words[0]);
        try (ServerSocket listening = new ServerSocket()) {
            listening.setReuseAddress(true);
            listening.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            screen.println("listening on port " + port);
            try (Socket client = listening.accept()) {
                String line = "";
                while (!line.equals("BYEBYE")) {
                    line = receive(client.getInputStream());
                    screen.println("client> " + readable(line));
                    if (line.equals("BYEBYE")) break;
                    line = askPerson(client);
                    say(client, line);
                }
            } catch (IOException error) {
                screen.println("the client is gone: " + error.getMessage());
            }
        }
    }
}
