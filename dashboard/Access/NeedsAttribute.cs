using ManagedServers.Workflows.Access;
using Microsoft.AspNetCore.Authorization;

namespace ManagedServers.Dashboard.Access;

/// <summary>The one right that a page needs.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute(Right right) : AuthorizeAttribute(right.ToString())
{
    public Right Right { get; } = right;
}
