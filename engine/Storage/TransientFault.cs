using System.Net.Sockets;
using Npgsql;

namespace ManagedServers.Engine;

/// <summary>Tells a database that is away for a moment from a statement that is wrong.</summary>
internal static class TransientFault
{
    public static bool Is(Exception fault) => fault switch
    {
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
            // A standby that is about to take over, and a statement that somebody has cancelled.
            or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled } => true,
        PostgresException e => e.IsTransient,
        NpgsqlException => true, // everything that is not an answer of the server: connection refused, reset, timed out, pool exhausted
        SocketException or IOException or TimeoutException => true,
        _ => false,
    };
}
