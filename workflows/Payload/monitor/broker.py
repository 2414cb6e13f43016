"""The way to the product over RabbitMQ: a record is done with once the broker has said that it keeps it."""

import hashlib
import hmac
import json
import logging
import ssl
import time
from datetime import datetime

import pika

import delivery

ROUTING_KEY = "statistics"
PATIENCE = 8             # seconds, in which a broker that is there has answered
HEARTBEAT = 600          # seconds: nothing is read between two deliveries, and they can be a minute apart
CLOCK_KNOWN = 600        # seconds, after which the product is asked for its time again
CLOCK_RETRY = 60

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it says in ten lines, its exception says in one


class ProductClock:
    """The product's time, also while the product is away: a message may lie in the queue for hours, and this machine's clock may be wrong and be set. It is kept
    as the distance from the machine's uptime, which nobody sets. Until the product has answered once, this machine's clock has to do.
    With the time comes what the product wants: nobody answers a message."""

    def __init__(self, product):
        self.product, self.ahead, self.due, self.said = product, None, 0, ""

    def now(self):
        if delivery.uptime() >= self.due:
            self.due = delivery.uptime() + CLOCK_RETRY
            try:
                self.ahead = self.ask() - delivery.uptime()
                self.due = delivery.uptime() + CLOCK_KNOWN
            except (delivery.Undelivered, KeyError, TypeError, ValueError):
                pass  # away, or not ours: what it said before holds
        return time.time() if self.ahead is None else delivery.uptime() + self.ahead

    def ask(self):
        try:
            status, _, text = self.product.ask("GET", "/api/v2/monitoring/settings", None)
        finally:
            self.product.close()
        if status != 200:
            raise delivery.Undelivered("answered %d" % status)
        self.said = text
        return datetime.fromisoformat(delivery.parsed(text)["now"]).timestamp()


class Broker:
    """In the place of delivery.Product: the same reports, each signed with the server's token, because all hosts may sign in as one user."""

    def __init__(self, config, server, product):
        self.address, self.exchange = (config["host"], config["port"]), config["exchange"]
        self.server, self.token, self.clock = server, product.token, ProductClock(product)
        tls = None
        if config.get("authority"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=config["authority"])
            tls = pika.SSLOptions(context, config["host"])
        self.parameters = pika.ConnectionParameters(
            host=config["host"], port=config["port"], virtual_host=config["virtualHost"],
            credentials=pika.PlainCredentials(config["user"], config["password"], erase_on_connect=False),
            ssl_options=tls, heartbeat=HEARTBEAT, socket_timeout=PATIENCE, stack_timeout=PATIENCE, blocked_connection_timeout=PATIENCE,
            client_properties={"connection_name": "monitor of %s" % server})
        self.connection = self.channel = None

    def post(self, path, value):
        """As delivery.Product has it: (202, None, what the product wants) once the broker keeps the message."""
        kind, body = path.rsplit("/", 1)[1], json.dumps(value, separators=(",", ":")).encode()
        kept = self.connection is not None
        try:
            return self.publish(kind, body)
        except delivery.Undelivered:
            raise
        except Exception as error:  # pika's own kinds have no common one, and wrap those of the system
            self.close()
            if not kept or isinstance(error, (pika.exceptions.NackError, pika.exceptions.UnroutableError)):
                raise self.undelivered(error)
        try:  # one that was lost meanwhile: once more over a new one
            return self.publish(kind, body)
        except delivery.Undelivered:
            raise
        except Exception as error:
            self.close()
            raise self.undelivered(error)

    def publish(self, kind, body):
        if self.connection is None:
            self.connection = pika.BlockingConnection(self.parameters)
            self.channel = self.connection.channel()
            self.channel.confirm_delivery()
        sent = delivery.utc(self.clock.now())
        signed = "\n".join((kind, self.server, sent, "")).encode() + body
        headers = {"server": self.server, "sent": sent, "signature": hmac.new(self.token.encode(), signed, hashlib.sha256).hexdigest()}
        properties = pika.BasicProperties(type=kind, content_type="application/json", delivery_mode=2, headers=headers)
        self.channel.basic_publish(self.exchange, ROUTING_KEY, body, properties, mandatory=True)
        return 202, None, self.clock.said

    def undelivered(self, error):
        if isinstance(error, pika.exceptions.NackError):
            reason = "the queue is full, or the broker could not keep the message"
        elif isinstance(error, pika.exceptions.UnroutableError):
            reason = "no queue takes what comes to the exchange %s" % self.exchange
        else:
            reason = str(error) or type(error).__name__
        return delivery.Undelivered("RabbitMQ at %s:%d: %s" % (self.address + (reason,)))

    def close(self):
        """Not pika's own, which waits for the broker's answer: what hangs would hang here too."""
        connection, self.connection, self.channel = self.connection, None, None
        try:
            if connection is not None:
                connection._impl._transport._sock.close()
        except (AttributeError, OSError):
            pass  # it is closed already
