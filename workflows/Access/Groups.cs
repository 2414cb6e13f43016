namespace ManagedServers.Workflows.Access;

/// <summary>The groups that exist from the start.</summary>
public static class Groups
{
    public const string GlobalAdmin = "Global Admin";
    public const string GlobalReadOnly = "Global Read-Only";
    public const string Operators = "Operators";
    public const string Servers = "6c servers";
}

/// <summary>What somebody may do. Every endpoint and page names exactly one.</summary>
public enum Right
{
    /// <summary>See servers, runs and statistics.</summary>
    Read,

    /// <summary>Add, change and remove servers; start, cancel and retry runs.</summary>
    Operate,

    /// <summary>Give text to a host's shell.</summary>
    RunCommands,

    /// <summary>Accounts, tokens of others, settings.</summary>
    Administer,

    /// <summary>Send heartbeats and statistics of one's own server.</summary>
    Report,
}

/// <summary>Which group has which right: the one place where it is decided. What is not listed is denied.</summary>
public static class Rights
{
    public static bool Allows(this Account account, Right right) => right switch
    {
        Right.Report => account.ServerId is not null && account.Groups.Contains(Groups.Servers),
        Right.Read => account.Groups.Any(g => g is Groups.GlobalAdmin or Groups.GlobalReadOnly or Groups.Operators or Groups.Servers),
        Right.Operate or Right.RunCommands => account.Groups.Any(g => g is Groups.GlobalAdmin or Groups.Operators),
        Right.Administer => account.Groups.Contains(Groups.GlobalAdmin),
        _ => false,
    };
}
